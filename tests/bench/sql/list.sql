-- Read the first page of what is under review: what the service sends for it.
SELECT t.digest, t.expiry, t.revoked_at IS NOT NULL, u.username, u.is_active, u.is_superuser,
    ARRAY(SELECT g.name FROM auth_user_groups m JOIN auth_group g ON g.id = m.group_id WHERE
    m.user_id = u.id) AS role_names, ARRAY(SELECT p.codename FROM ( SELECT gp.permission_id FROM
    auth_user_groups m JOIN auth_group_permissions gp ON gp.group_id = m.group_id WHERE m.user_id =
    u.id UNION SELECT up.permission_id FROM auth_user_user_permissions up WHERE up.user_id = u.id )
    held JOIN auth_permission p ON p.id = held.permission_id JOIN django_content_type c ON c.id =
    p.content_type_id AND c.app_label = 'cases' ) AS codenames, EXISTS (SELECT FROM
    case_user_permissions g WHERE g.user_id = u.id) AS has_grants FROM api_tokens t JOIN auth_user u
    ON u.id = t.user_id WHERE t.token_key = ':reviewer_key';
SELECT "cases"."id" AS "id", "cases"."title" AS "title", "cases"."description" AS "description",
    ("cases"."received_at")::text AS "cast1", "cases"."category" AS "category", "cases"."subject" AS
    "subject", "cases"."external_reference" AS "external_reference", "cases"."source" AS "source",
    "cases"."priority" AS "priority", "cases"."restricted" AS "restricted", "cases"."status" AS
    "status", "cases"."assigned_reviewer_id" AS "assigned_reviewer_id", "cases"."version" AS
    "version", "cases"."created_by" AS "created_by", "cases"."submitted_by" AS "submitted_by",
    ("cases"."created_at")::text AS "cast2", ("cases"."updated_at")::text AS "cast3",
    ("cases"."submitted_at")::text AS "cast4", ("cases"."closed_at")::text AS "cast5",
    ("cases"."due_at")::text AS "cast6", ("cases"."overdue_at")::text AS "cast7",
    ("cases"."paused_at")::text AS "cast8", '{}'::text[] AS "granted" FROM "cases" WHERE ((NOT
    "cases"."restricted" OR "cases"."assigned_reviewer_id" = ('reviewer-1')) AND "cases"."status" =
    ('UNDER_REVIEW')) ORDER BY "cases"."created_at" DESC, 1 DESC LIMIT 51;
