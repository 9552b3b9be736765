"""The studio's painter: the same child, helper and places on every page, and nothing written."""
