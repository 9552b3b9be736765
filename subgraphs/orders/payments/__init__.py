"""The providers that charge and refund payments: the offline one."""
