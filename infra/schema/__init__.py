"""Schema tools: export of subgraph schemas, composition, and detection of API changes."""
