-- A day of a term that is none, its classes keep as they have it: as any value that a warning drops.
alter table staging.terms add column keep text[] not null default '{}'; -- columns of a class: starts_on, ends_on
