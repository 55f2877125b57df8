-- Read the first page of what is under review: what the service sends for it.
SELECT DISTINCT p.codename FROM auth_group g JOIN auth_group_permissions gp ON gp.group_id =
    g.id JOIN auth_permission p ON p.id = gp.permission_id JOIN django_content_type c ON c.id =
    p.content_type_id AND c.app_label = 'cases' WHERE g.name = ANY ('{reviewer}');
SELECT "cases"."id" AS "id", "cases"."title" AS "title", "cases"."description" AS "description",
    "cases"."received_at" AS "received_at", "cases"."category" AS "category", "cases"."subject" AS
    "subject", "cases"."external_reference" AS "external_reference", "cases"."source" AS "source",
    "cases"."priority" AS "priority", "cases"."restricted" AS "restricted", "cases"."status" AS
    "status", "cases"."assigned_reviewer_id" AS "assigned_reviewer_id", "cases"."version" AS
    "version", "cases"."created_by" AS "created_by", "cases"."submitted_by" AS "submitted_by",
    "cases"."created_at" AS "created_at", "cases"."updated_at" AS "updated_at",
    "cases"."submitted_at" AS "submitted_at", "cases"."closed_at" AS "closed_at", "cases"."due_at"
    AS "due_at", "cases"."overdue_at" AS "overdue_at", "cases"."paused_at" AS "paused_at",
    ARRAY(SELECT V3."codename" AS "permission__codename" FROM "case_user_permissions" V0 INNER JOIN
    "auth_permission" V3 ON (V0."permission_id" = V3."id") WHERE (V0."user_id" = (SELECT U0."id" AS
    "pk" FROM "auth_user" U0 WHERE (U0."is_active" AND U0."username" = ('reviewer-1'))) AND
    V0."case_id" = ("cases"."id"))) AS "granted" FROM "cases" WHERE ((NOT "cases"."restricted" OR
    "cases"."assigned_reviewer_id" = ('reviewer-1') OR "cases"."id" IN (SELECT V0."case_id" AS
    "content_object" FROM "case_user_permissions" V0 INNER JOIN "auth_permission" V2 ON
    (V0."permission_id" = V2."id") WHERE (V0."user_id" = (SELECT U0."id" AS "pk" FROM "auth_user" U0
    WHERE (U0."is_active" AND U0."username" = ('reviewer-1'))) AND V2."codename" = 'view_case')))
    AND "cases"."status" = ('UNDER_REVIEW')) ORDER BY 16 DESC, 1 DESC LIMIT 51;
