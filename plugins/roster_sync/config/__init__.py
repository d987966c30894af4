"""What an installation is told from outside: the registry of districts, the environment, the paths."""
