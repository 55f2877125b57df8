-- Read one case: what the service sends for it.
-- dash: what stands before the number in an id, with its zeros.
\set n random(:low, :high)
SELECT t.digest, t.expiry, t.revoked_at IS NOT NULL, u.username, u.is_active, u.is_superuser,
    ARRAY(SELECT g.name FROM auth_user_groups m JOIN auth_group g ON g.id = m.group_id WHERE
    m.user_id = u.id) AS role_names, ARRAY(SELECT p.codename FROM ( SELECT gp.permission_id FROM
    auth_user_groups m JOIN auth_group_permissions gp ON gp.group_id = m.group_id WHERE m.user_id =
    u.id UNION SELECT up.permission_id FROM auth_user_user_permissions up WHERE up.user_id = u.id )
    held JOIN auth_permission p ON p.id = held.permission_id JOIN django_content_type c ON c.id =
    p.content_type_id AND c.app_label = 'cases' ) AS codenames, EXISTS (SELECT FROM
    case_user_permissions g WHERE g.user_id = u.id) AS has_grants FROM api_tokens t JOIN auth_user u
    ON u.id = t.user_id WHERE t.token_key = ':reviewer_key';
SELECT c.id, c.title, c.description, c.received_at::text, c.category, c.subject,
    c.external_reference, c.source, c.priority, c.restricted, c.status, c.assigned_reviewer_id,
    c.version, c.created_by, c.submitted_by, c.created_at::text, c.updated_at::text,
    c.submitted_at::text, c.closed_at::text, c.due_at::text, c.overdue_at::text, c.paused_at::text,
    mine.granted FROM cases c CROSS JOIN LATERAL ( SELECT ARRAY(SELECT p.codename FROM
    case_user_permissions g JOIN auth_user u ON u.id = g.user_id JOIN auth_permission p ON p.id =
    g.permission_id WHERE g.case_id = c.id AND u.username = 'reviewer-1' AND u.is_active) AS
    granted) AS mine WHERE c.id = 'CASE:dash:n' AND (false OR true AND (NOT c.restricted OR
    c.assigned_reviewer_id = 'reviewer-1') OR 'view_case' = ANY (mine.granted));
