-- What can be licensed.
select p.id, p.code, p.title from portal.products p order by p.title;
