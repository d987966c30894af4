"""The pages in Airflow's own UI, and the same as an HTTP API (issue: settings screens and the data team's page)."""
