"""What every page needs: rights, guard, database pool, Airflow calls."""
