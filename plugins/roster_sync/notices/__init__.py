"""What people are notified of after a run, and the emails that notify them."""
