"""Federation router: one supergraph in, one GraphQL API out."""
