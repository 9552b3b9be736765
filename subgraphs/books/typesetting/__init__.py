"""Typesetting: from approved content to print-ready PDFs."""
