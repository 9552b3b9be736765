"""The code that all subgraphs share, which depends on no domain."""
