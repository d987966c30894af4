"""How the package speaks to PostgreSQL: statements from files, migrations, a parallel connection."""
