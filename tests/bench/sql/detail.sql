-- Read one case: what the service sends for it.
-- dash: what stands before the number in an id, with its zeros.
\set n random(:low, :high)
SELECT DISTINCT p.codename FROM auth_group g JOIN auth_group_permissions gp ON gp.group_id =
    g.id JOIN auth_permission p ON p.id = gp.permission_id JOIN django_content_type c ON c.id =
    p.content_type_id AND c.app_label = 'cases' WHERE g.name = ANY ('{reviewer}');
SELECT c.id, c.title, c.description, c.received_at, c.category, c.subject, c.external_reference,
    c.source, c.priority, c.restricted, c.status, c.assigned_reviewer_id, c.version, c.created_by,
    c.submitted_by, c.created_at, c.updated_at, c.submitted_at, c.closed_at, c.due_at, c.overdue_at,
    c.paused_at, mine.granted FROM cases c CROSS JOIN LATERAL ( SELECT ARRAY(SELECT p.codename FROM
    case_user_permissions g JOIN auth_user u ON u.id = g.user_id JOIN auth_permission p ON p.id =
    g.permission_id WHERE g.case_id = c.id AND u.username = 'reviewer-1' AND u.is_active) AS
    granted) AS mine WHERE c.id = 'CASE:dash:n' AND (false OR true AND (NOT c.restricted OR
    c.assigned_reviewer_id = 'reviewer-1') OR 'view_case' = ANY (mine.granted));
