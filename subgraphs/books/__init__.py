"""The books domain: children, books and the versions of their pages, approval and typesetting."""
