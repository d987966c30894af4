"""The words and rules that everything else is said in."""
