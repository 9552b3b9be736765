"""The router's edge: GraphQL over HTTP, Server-Sent Events and WebSocket, and the explorer."""
