"""The ai domain: the generation of the stories and pictures of books."""
