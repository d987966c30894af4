"""What an installation is given from outside: the registry of districts, the environment, the paths."""
