-- A district's settings. Index: settings_pkey.
select s.school_mode, s.expires_on, s.updated_at, s.updated_by from sync.settings s where s.district_id = %(district)s;
