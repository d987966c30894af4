"""What people are told after a run, and the mails that tell them."""
