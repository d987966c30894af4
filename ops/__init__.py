"""The commands in bin/: how the project is installed, run, tested and measured on one machine.

Nothing of this package is in the production image.

- bootstrap.sh, launcher, installer: from a bare python3 to a module of ours in .venv.
- home, locks, console: ROSTER_HOME, locks between processes, what a command prints.
- foreground, supervisor, services: child processes, none of which outlives its command.
- postgres: the embedded PostgreSQL; bin/psql.
- airflow: Airflow's environment, metadata database, programs and REST API; bin/airflow.
- demo, mail_catcher: bin/demo.
- testing: bin/test.
- bench: bin/bench.
- plan_stages: the plan's stages as docs/architecture.md draws them.
- sql: the commands' own SQL; compose: what docker-compose.yaml mounts.
"""
