"""Tests of the router's edge over plain sockets."""
