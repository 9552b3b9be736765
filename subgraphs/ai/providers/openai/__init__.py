"""OpenAI as writer, illustrator and moderator, on its official client."""

NAME = "openai"
