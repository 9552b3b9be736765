"""The providers of the ai domain: OpenAI and the offline studio, behind the ports of a studio."""
