"""Print: what can be printed and for how much, the check of the files, and the one job that prints an order."""
