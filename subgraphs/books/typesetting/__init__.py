"""From approved content to print files: geometry, fonts, templates and the press."""
