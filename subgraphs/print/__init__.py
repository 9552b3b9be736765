"""Print: what can be printed and for how much, the check of the files, and the job that prints an order."""
