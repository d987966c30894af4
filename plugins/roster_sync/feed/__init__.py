"""From a source into the staging tables, and the checks of what came."""
