"""What all subgraphs share; it knows no domain."""
