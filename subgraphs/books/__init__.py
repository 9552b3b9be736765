"""The books domain: children, their books, every page with its versions, approval and typesetting."""
