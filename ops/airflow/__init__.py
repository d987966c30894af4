"""bin/airflow: the real Airflow CLI, in an environment and on a metadata database that follow ROSTER_HOME."""
