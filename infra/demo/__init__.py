"""The demonstration: one client that plays the whole main job over the public endpoint, and nothing else."""
