"""The words and rules that everything else is said in: errors, vocabulary, limits. Standard library only."""
