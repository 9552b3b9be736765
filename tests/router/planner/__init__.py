"""The planner, concept by concept: an operation and the plan it gets."""
