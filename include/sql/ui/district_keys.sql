-- Every district that the portal knows: a few thousand short rows, joined with the registry by the page.
select d.key, d.name from portal.districts d;
