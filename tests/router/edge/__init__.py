"""Tests of the router's edge, spoken to over plain sockets."""
