-- Who acts in the bench, with a password that nothing matches; twenty who were granted cases.
INSERT INTO auth_user (username, password, is_superuser, is_staff, is_active, first_name, last_name,
                       email, date_joined)
SELECT name, '!', false, false, true, '', '', '', now()
  FROM (SELECT 'guest-' || n AS name FROM generate_series(0, 19) AS n
        UNION ALL VALUES ('writer-1'), ('reviewer-1'), ('supervisor-1')) AS names
    ON CONFLICT (username) DO NOTHING;
INSERT INTO auth_user_groups (user_id, group_id)
SELECT auth_user.id, auth_group.id
  FROM (VALUES ('writer-1', 'case_writer'), ('reviewer-1', 'reviewer'),
               ('supervisor-1', 'supervisor')) AS plays (username, role)
  JOIN auth_user USING (username)
  JOIN auth_group ON auth_group.name = plays.role
    ON CONFLICT DO NOTHING;
