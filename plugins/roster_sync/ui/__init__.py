"""The pages in Airflow's own UI, and the same as an HTTP API."""
