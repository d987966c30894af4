"""What Airflow runs: DAGs, tasks, connections, policies, approvals."""
