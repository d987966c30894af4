"""What the commands in bin/ do: the embedded database, Airflow's environment, the demo, the tests, the benchmarks."""
