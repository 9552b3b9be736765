"""A fake of OpenAI: its Responses, Images and Moderations APIs."""
