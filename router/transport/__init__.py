"""The network towards subgraphs: requests, streams and sockets, with what makes them hold."""
