-- Airflow runs the setup again whenever any task of a run is cleared: a run that had ended well, and of which only the mails
-- or the end are done once more, keeps how it ended. Null as soon as a step that may change it begins.
alter table sync.runs add column ended_as text;
