"""The demo: one client that makes a book through the public API, from sign-up to the shipped parcel."""
