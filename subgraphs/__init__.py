"""The five domains, each a GraphQL service that owns its data."""
