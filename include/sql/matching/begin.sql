-- Begins a merge: the pair for matching/move.sql, and what the new row says, kept while the new row goes.
create temporary table merge_pairs (entity text, new_id bigint, old_id bigint) on commit drop;
insert into merge_pairs values ('users', %(new_id)s, %(old_id)s);
create temporary table merged_users on commit drop as select u.* from portal.users u where u.id = %(new_id)s;
