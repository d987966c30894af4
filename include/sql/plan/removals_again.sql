-- Before the removals of a Reset are planned once more.
delete from staging.plan where run_id = %(run_id)s and phase = 'removals';
drop table doomed_schools, doomed_classes, doomed_users, kept_candidates, school_ties;
