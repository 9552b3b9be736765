"""The network to the subgraphs: requests and streams, and the layers that make them resilient."""
