-- Read the first page of what is under review: what the service sends for it.
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
    ('UNDER_REVIEW') AND (SELECT value FROM rights_version LIMIT 1) =
    ':rights_version'::uuid) ORDER BY "cases"."created_at" DESC, 1 DESC LIMIT 51;
