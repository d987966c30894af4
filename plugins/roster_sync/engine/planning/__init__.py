"""The plan of a run: what it would do, row by row, and whether a person has to be asked first."""
