"""The print domain: products and their prices, preflight and print jobs."""
