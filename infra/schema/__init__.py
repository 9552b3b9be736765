"""The schema's tools: export of the subgraphs, composition of the supergraph, changes of the API."""
