# The image of every Airflow service: Airflow's official image of the locked version, the locked packages, our code.
FROM apache/airflow:slim-3.3.2-python3.12

LABEL org.opencontainers.image.title="Roster sync" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="1.0.0"

USER root
RUN install -d -o airflow -g 0 -m 0770 /var/lib/roster
USER airflow

COPY requirements.txt /opt/roster/requirements.txt
RUN pip install --no-cache-dir --no-deps -r /opt/roster/requirements.txt

COPY config /opt/roster/config
COPY dags /opt/roster/dags
COPY include /opt/roster/include
COPY plugins /opt/roster/plugins

ENV AIRFLOW__CORE__DAGS_FOLDER=/opt/roster/dags \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/roster/plugins \
    AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL=300 \
    AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False \
    GX_ANALYTICS_ENABLED=false \
    PYTHONPATH=/opt/roster/config:/opt/roster/plugins:/opt/roster \
    ROSTER_HOME=/var/lib/roster

WORKDIR /opt/roster
