"""Files that the DAGs and the tests reach by path or import: SQL, templates, registry, simulator."""
