-- Read one case: what the service sends for it.
-- dash: what stands before the number in an id, with its zeros.
\set n random(:low, :high)
SELECT c.id, c.title, c.description, c.received_at::text, c.category, c.subject,
    c.external_reference, c.source, c.priority, c.restricted, c.status, c.assigned_reviewer_id,
    c.version, c.created_by, c.submitted_by, c.created_at::text, c.updated_at::text,
    c.submitted_at::text, c.closed_at::text, c.due_at::text, c.overdue_at::text, c.paused_at::text,
    mine.granted FROM cases c CROSS JOIN LATERAL ( SELECT ARRAY(SELECT p.codename FROM
    case_user_permissions g JOIN auth_user u ON u.id = g.user_id JOIN auth_permission p ON p.id =
    g.permission_id WHERE g.case_id = c.id AND u.username = 'reviewer-1' AND u.is_active) AS
    granted OFFSET 0) AS mine WHERE c.id = 'CASE:dash:n' AND (false OR true AND (NOT c.restricted OR
    c.assigned_reviewer_id = 'reviewer-1') OR 'view_case' = ANY (mine.granted))
    AND (':rights_version'::uuid::uuid IS NULL OR (SELECT value FROM rights_version LIMIT 1) =
    ':rights_version'::uuid::uuid);
