"""The providers that write stories and draw pictures: OpenAI and the offline studio."""
