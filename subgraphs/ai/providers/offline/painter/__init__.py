"""The studio's painter: vector pictures with a consistent child, helper and setting, and without text."""
