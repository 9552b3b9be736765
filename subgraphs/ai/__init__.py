"""The ai domain: the generation of a book's story and pictures, live."""
