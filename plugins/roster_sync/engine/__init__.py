"""What a run does: plan, hold, apply, undo, match, and keep house."""
