"""Who writes the stories and draws the pictures: the offline studio, or OpenAI."""
