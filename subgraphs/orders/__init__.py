"""The orders domain: what a printed copy costs, paying for it, and following it to the door."""
