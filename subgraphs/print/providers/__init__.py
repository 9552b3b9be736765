"""The print shops that make books: the offline one."""
