-- Create, submit, start the review, close: what the service sends for these four requests.
-- By the simple protocol, as the service does: pgbench writes variables into quoted texts too.
\set high random(1000, 9999)
\set low0 random(100000000000, 999999999999)
\set low1 random(100000000000, 999999999999)
\set low2 random(100000000000, 999999999999)
\set low3 random(100000000000, 999999999999)

-- create
SELECT DISTINCT p.codename FROM auth_group g JOIN auth_group_permissions gp ON gp.group_id =
    g.id JOIN auth_permission p ON p.id = gp.permission_id JOIN django_content_type c ON c.id =
    p.content_type_id AND c.app_label = 'cases' WHERE g.name = ANY ('{case_writer}');
BEGIN;
INSERT INTO "cases" ("id", "title", "description", "received_at", "category", "subject",
    "external_reference", "source", "priority", "restricted", "status", "assigned_reviewer_id",
    "version", "created_by", "submitted_by", "created_at", "updated_at", "submitted_at",
    "closed_at", "due_at", "overdue_at", "paused_at") VALUES (DEFAULT,
    'Late reporting of position limits', '', '2026-11-23 01:47:40.213744+00:00'::timestamptz, '',
    '', '', '', 'NORMAL', false, 'DRAFT', NULL, 0, 'writer-1', NULL,
    '2026-11-23 01:47:40.213744+00:00'::timestamptz,
    '2026-11-23 01:47:40.213744+00:00'::timestamptz, NULL, NULL, NULL, NULL, NULL) RETURNING
    "cases"."id" \gset
INSERT INTO audit_events (id, case_id, sequence, actor_id, event_type, occurred_at, recorded_at,
    request_id, details, content_hash, previous_hash, hash) SELECT id, case_id, sequence, actor_id,
    event_type, occurred_at, '2026-11-23 01:47:40.238781+00:00'::timestamptz,
    '01a20612-18b9-7211-:high-:low0', details, decode(content_hash, 'hex'), '', '' FROM ROWS FROM
    (jsonb_to_recordset('[{"id": "01a20612-18b9-7211-:high-:low0", "case_id": ":id", "sequence": 0, "actor_id": "writer-1", "event_type": "CASE_CREATED", "occurred_at": "2026-11-23T01:47:40.213744Z", "details": {"to_status": "DRAFT", "title": "Late reporting of position limits", "received_at": "2026-11-23T01:47:40.213744Z", "priority": "NORMAL"}, "content_hash": "52dc32252742120cfacd807700f26e7c68420dc639d82ce573dd53b573059887"}]'::jsonb)
    AS (id uuid, case_id text, sequence int, actor_id text, event_type text, occurred_at
    timestamptz, details jsonb, content_hash text)) WITH ORDINALITY AS new (id, case_id, sequence,
    actor_id, event_type, occurred_at, details, content_hash, place) ORDER BY place;
INSERT INTO outbox_events (event_id, destination, case_id, sequence, event_type, payload,
    occurred_at, attempts, last_error) SELECT event_id, destination, case_id, sequence, event_type,
    payload, occurred_at, 0, '' FROM ROWS FROM
    (jsonb_to_recordset('[{"event_id": "01a20612-18b9-7211-:high-:low0", "destination": "log", "case_id": ":id", "sequence": 0, "event_type": "CASE_CREATED", "payload": {"specversion": "1.0", "id": "01a20612-18b9-7211-:high-:low0", "source": "/regulatory-cases", "type": "org.regulator.case.created.v1", "subject": ":id", "time": "2026-11-23T01:47:40.213744Z", "datacontenttype": "application/json", "sequence": "0000000000", "data": {"case_id": ":id", "actor_id": "writer-1", "to_status": "DRAFT", "title": "Late reporting of position limits", "received_at": "2026-11-23T01:47:40.213744Z", "priority": "NORMAL"}}, "occurred_at": "2026-11-23T01:47:40.213744Z"}]'::jsonb)
    AS (event_id uuid, destination text, case_id text, sequence int, event_type text, payload jsonb,
    occurred_at timestamptz)) WITH ORDINALITY AS new (event_id, destination, case_id, sequence,
    event_type, payload, occurred_at, place) ORDER BY place;
COMMIT;

-- submit
SELECT DISTINCT p.codename FROM auth_group g JOIN auth_group_permissions gp ON gp.group_id =
    g.id JOIN auth_permission p ON p.id = gp.permission_id JOIN django_content_type c ON c.id =
    p.content_type_id AND c.app_label = 'cases' WHERE g.name = ANY ('{case_writer}');
BEGIN;
SELECT c.id, c.title, c.description, c.received_at, c.category, c.subject, c.external_reference,
    c.source, c.priority, c.restricted, c.status, c.assigned_reviewer_id, c.version, c.created_by,
    c.submitted_by, c.created_at, c.updated_at, c.submitted_at, c.closed_at, c.due_at, c.overdue_at,
    c.paused_at, mine.granted FROM cases c CROSS JOIN LATERAL ( SELECT ARRAY(SELECT p.codename FROM
    case_user_permissions g JOIN auth_user u ON u.id = g.user_id JOIN auth_permission p ON p.id =
    g.permission_id WHERE g.case_id = c.id AND u.username = 'writer-1' AND u.is_active) AS granted)
    AS mine WHERE c.id = ':id' AND (false OR true AND (NOT c.restricted OR c.assigned_reviewer_id =
    'writer-1') OR 'view_case' = ANY (mine.granted)) FOR NO KEY UPDATE OF c;
UPDATE cases SET version = new.version, updated_at = new.updated_at, status = new.status,
    assigned_reviewer_id = new.assigned_reviewer_id, restricted = new.restricted, submitted_by =
    new.submitted_by, submitted_at = new.submitted_at, closed_at = new.closed_at, due_at =
    new.due_at, overdue_at = new.overdue_at, paused_at = new.paused_at FROM unnest('{:id}'::text[],
    '{1}'::int2[]::integer[], '{"2026-11-23 01:47:40.449214+00:00"}'::timestamptz[]::timestamptz[],
    '{SUBMITTED}'::text[], '{NULL}'::text[], '{f}'::bool[]::boolean[], '{writer-1}'::text[],
    '{"2026-11-23 01:47:40.449214+00:00"}'::timestamptz[]::timestamptz[], '{NULL}'::timestamptz[],
    '{NULL}'::timestamptz[], '{NULL}'::timestamptz[], '{NULL}'::timestamptz[]) AS new(id, version,
    updated_at, status, assigned_reviewer_id, restricted, submitted_by, submitted_at, closed_at,
    due_at, overdue_at, paused_at) WHERE cases.id = new.id AND cases.version = new.version - 1;
INSERT INTO audit_events (id, case_id, sequence, actor_id, event_type, occurred_at, recorded_at,
    request_id, details, content_hash, previous_hash, hash) SELECT id, case_id, sequence, actor_id,
    event_type, occurred_at, '2026-11-23 01:47:40.460249+00:00'::timestamptz,
    '01a20612-18b9-7211-:high-:low1', details, decode(content_hash, 'hex'), '', '' FROM ROWS FROM
    (jsonb_to_recordset('[{"id": "01a20612-18b9-7211-:high-:low1", "case_id": ":id", "sequence": 1, "actor_id": "writer-1", "event_type": "CASE_SUBMITTED", "occurred_at": "2026-11-23T01:47:40.449214Z", "details": {"from_status": "DRAFT", "to_status": "SUBMITTED"}, "content_hash": "f490192c742e5903b3ba4a795dc8ac28692fde384fbabfc79be8f4d5c497f9fb"}]'::jsonb)
    AS (id uuid, case_id text, sequence int, actor_id text, event_type text, occurred_at
    timestamptz, details jsonb, content_hash text)) WITH ORDINALITY AS new (id, case_id, sequence,
    actor_id, event_type, occurred_at, details, content_hash, place) ORDER BY place;
INSERT INTO outbox_events (event_id, destination, case_id, sequence, event_type, payload,
    occurred_at, attempts, last_error) SELECT event_id, destination, case_id, sequence, event_type,
    payload, occurred_at, 0, '' FROM ROWS FROM
    (jsonb_to_recordset('[{"event_id": "01a20612-18b9-7211-:high-:low1", "destination": "log", "case_id": ":id", "sequence": 1, "event_type": "CASE_SUBMITTED", "payload": {"specversion": "1.0", "id": "01a20612-18b9-7211-:high-:low1", "source": "/regulatory-cases", "type": "org.regulator.case.submitted.v1", "subject": ":id", "time": "2026-11-23T01:47:40.449214Z", "datacontenttype": "application/json", "sequence": "0000000001", "data": {"case_id": ":id", "actor_id": "writer-1", "from_status": "DRAFT", "to_status": "SUBMITTED"}}, "occurred_at": "2026-11-23T01:47:40.449214Z"}]'::jsonb)
    AS (event_id uuid, destination text, case_id text, sequence int, event_type text, payload jsonb,
    occurred_at timestamptz)) WITH ORDINALITY AS new (event_id, destination, case_id, sequence,
    event_type, payload, occurred_at, place) ORDER BY place;
COMMIT;

-- start-review
SELECT DISTINCT p.codename FROM auth_group g JOIN auth_group_permissions gp ON gp.group_id =
    g.id JOIN auth_permission p ON p.id = gp.permission_id JOIN django_content_type c ON c.id =
    p.content_type_id AND c.app_label = 'cases' WHERE g.name = ANY ('{reviewer}');
BEGIN;
SELECT c.id, c.title, c.description, c.received_at, c.category, c.subject, c.external_reference,
    c.source, c.priority, c.restricted, c.status, c.assigned_reviewer_id, c.version, c.created_by,
    c.submitted_by, c.created_at, c.updated_at, c.submitted_at, c.closed_at, c.due_at, c.overdue_at,
    c.paused_at, mine.granted FROM cases c CROSS JOIN LATERAL ( SELECT ARRAY(SELECT p.codename FROM
    case_user_permissions g JOIN auth_user u ON u.id = g.user_id JOIN auth_permission p ON p.id =
    g.permission_id WHERE g.case_id = c.id AND u.username = 'reviewer-1' AND u.is_active) AS
    granted) AS mine WHERE c.id = ':id' AND (false OR true AND (NOT c.restricted OR
    c.assigned_reviewer_id = 'reviewer-1') OR 'view_case' = ANY (mine.granted)) FOR NO KEY UPDATE OF
    c;
UPDATE cases SET version = new.version, updated_at = new.updated_at, status = new.status,
    assigned_reviewer_id = new.assigned_reviewer_id, restricted = new.restricted, submitted_by =
    new.submitted_by, submitted_at = new.submitted_at, closed_at = new.closed_at, due_at =
    new.due_at, overdue_at = new.overdue_at, paused_at = new.paused_at FROM unnest('{:id}'::text[],
    '{2}'::int2[]::integer[], '{"2026-11-23 01:47:40.496409+00:00"}'::timestamptz[]::timestamptz[],
    '{UNDER_REVIEW}'::text[], '{reviewer-1}'::text[], '{f}'::bool[]::boolean[],
    '{writer-1}'::text[], '{"2026-11-23 01:47:40.449214+00:00"}'::timestamptz[]::timestamptz[],
    '{NULL}'::timestamptz[], '{NULL}'::timestamptz[], '{NULL}'::timestamptz[],
    '{NULL}'::timestamptz[]) AS new(id, version, updated_at, status, assigned_reviewer_id,
    restricted, submitted_by, submitted_at, closed_at, due_at, overdue_at, paused_at) WHERE cases.id
    = new.id AND cases.version = new.version - 1;
INSERT INTO audit_events (id, case_id, sequence, actor_id, event_type, occurred_at, recorded_at,
    request_id, details, content_hash, previous_hash, hash) SELECT id, case_id, sequence, actor_id,
    event_type, occurred_at, '2026-11-23 01:47:40.497688+00:00'::timestamptz,
    '01a20612-18b9-7211-:high-:low2', details, decode(content_hash, 'hex'), '', '' FROM ROWS FROM
    (jsonb_to_recordset('[{"id": "01a20612-18b9-7211-:high-:low2", "case_id": ":id", "sequence": 2, "actor_id": "reviewer-1", "event_type": "CASE_REVIEW_STARTED", "occurred_at": "2026-11-23T01:47:40.496409Z", "details": {"from_status": "SUBMITTED", "to_status": "UNDER_REVIEW", "reviewer_id": "reviewer-1"}, "content_hash": "b12c1d66fc94e753f4860b449fb42f0252b8fa4d034a5937684b71b6e6b13b16"}]'::jsonb)
    AS (id uuid, case_id text, sequence int, actor_id text, event_type text, occurred_at
    timestamptz, details jsonb, content_hash text)) WITH ORDINALITY AS new (id, case_id, sequence,
    actor_id, event_type, occurred_at, details, content_hash, place) ORDER BY place;
INSERT INTO outbox_events (event_id, destination, case_id, sequence, event_type, payload,
    occurred_at, attempts, last_error) SELECT event_id, destination, case_id, sequence, event_type,
    payload, occurred_at, 0, '' FROM ROWS FROM
    (jsonb_to_recordset('[{"event_id": "01a20612-18b9-7211-:high-:low2", "destination": "log", "case_id": ":id", "sequence": 2, "event_type": "CASE_REVIEW_STARTED", "payload": {"specversion": "1.0", "id": "01a20612-18b9-7211-:high-:low2", "source": "/regulatory-cases", "type": "org.regulator.case.review-started.v1", "subject": ":id", "time": "2026-11-23T01:47:40.496409Z", "datacontenttype": "application/json", "sequence": "0000000002", "data": {"case_id": ":id", "actor_id": "reviewer-1", "from_status": "SUBMITTED", "to_status": "UNDER_REVIEW", "reviewer_id": "reviewer-1"}}, "occurred_at": "2026-11-23T01:47:40.496409Z"}]'::jsonb)
    AS (event_id uuid, destination text, case_id text, sequence int, event_type text, payload jsonb,
    occurred_at timestamptz)) WITH ORDINALITY AS new (event_id, destination, case_id, sequence,
    event_type, payload, occurred_at, place) ORDER BY place;
COMMIT;

-- close
SELECT DISTINCT p.codename FROM auth_group g JOIN auth_group_permissions gp ON gp.group_id =
    g.id JOIN auth_permission p ON p.id = gp.permission_id JOIN django_content_type c ON c.id =
    p.content_type_id AND c.app_label = 'cases' WHERE g.name = ANY ('{reviewer}');
BEGIN;
SELECT c.id, c.title, c.description, c.received_at, c.category, c.subject, c.external_reference,
    c.source, c.priority, c.restricted, c.status, c.assigned_reviewer_id, c.version, c.created_by,
    c.submitted_by, c.created_at, c.updated_at, c.submitted_at, c.closed_at, c.due_at, c.overdue_at,
    c.paused_at, mine.granted FROM cases c CROSS JOIN LATERAL ( SELECT ARRAY(SELECT p.codename FROM
    case_user_permissions g JOIN auth_user u ON u.id = g.user_id JOIN auth_permission p ON p.id =
    g.permission_id WHERE g.case_id = c.id AND u.username = 'reviewer-1' AND u.is_active) AS
    granted) AS mine WHERE c.id = ':id' AND (false OR true AND (NOT c.restricted OR
    c.assigned_reviewer_id = 'reviewer-1') OR 'view_case' = ANY (mine.granted)) FOR NO KEY UPDATE OF
    c;
UPDATE cases SET version = new.version, updated_at = new.updated_at, status = new.status,
    assigned_reviewer_id = new.assigned_reviewer_id, restricted = new.restricted, submitted_by =
    new.submitted_by, submitted_at = new.submitted_at, closed_at = new.closed_at, due_at =
    new.due_at, overdue_at = new.overdue_at, paused_at = new.paused_at FROM unnest('{:id}'::text[],
    '{3}'::int2[]::integer[], '{"2026-11-23 01:47:40.536239+00:00"}'::timestamptz[]::timestamptz[],
    '{CLOSED}'::text[], '{reviewer-1}'::text[], '{f}'::bool[]::boolean[], '{writer-1}'::text[],
    '{"2026-11-23 01:47:40.449214+00:00"}'::timestamptz[]::timestamptz[],
    '{"2026-11-23 01:47:40.536239+00:00"}'::timestamptz[]::timestamptz[], '{NULL}'::timestamptz[],
    '{NULL}'::timestamptz[], '{NULL}'::timestamptz[]) AS new(id, version, updated_at, status,
    assigned_reviewer_id, restricted, submitted_by, submitted_at, closed_at, due_at, overdue_at,
    paused_at) WHERE cases.id = new.id AND cases.version = new.version - 1;
INSERT INTO audit_events (id, case_id, sequence, actor_id, event_type, occurred_at, recorded_at,
    request_id, details, content_hash, previous_hash, hash) SELECT id, case_id, sequence, actor_id,
    event_type, occurred_at, '2026-11-23 01:47:40.538976+00:00'::timestamptz,
    '01a20612-18b9-7211-:high-:low3', details, decode(content_hash, 'hex'), '', '' FROM ROWS FROM
    (jsonb_to_recordset('[{"id": "01a20612-18b9-7211-:high-:low3", "case_id": ":id", "sequence": 3, "actor_id": "reviewer-1", "event_type": "CASE_CLOSED", "occurred_at": "2026-11-23T01:47:40.536239Z", "details": {"from_status": "UNDER_REVIEW", "to_status": "CLOSED", "reason": "Reports received in full"}, "content_hash": "b8fed7eddd143e3ef8e9ee9a5144cbd7347a9bd94eb5ddf09d761820d4d72d82"}]'::jsonb)
    AS (id uuid, case_id text, sequence int, actor_id text, event_type text, occurred_at
    timestamptz, details jsonb, content_hash text)) WITH ORDINALITY AS new (id, case_id, sequence,
    actor_id, event_type, occurred_at, details, content_hash, place) ORDER BY place;
INSERT INTO outbox_events (event_id, destination, case_id, sequence, event_type, payload,
    occurred_at, attempts, last_error) SELECT event_id, destination, case_id, sequence, event_type,
    payload, occurred_at, 0, '' FROM ROWS FROM
    (jsonb_to_recordset('[{"event_id": "01a20612-18b9-7211-:high-:low3", "destination": "log", "case_id": ":id", "sequence": 3, "event_type": "CASE_CLOSED", "payload": {"specversion": "1.0", "id": "01a20612-18b9-7211-:high-:low3", "source": "/regulatory-cases", "type": "org.regulator.case.closed.v1", "subject": ":id", "time": "2026-11-23T01:47:40.536239Z", "datacontenttype": "application/json", "sequence": "0000000003", "data": {"case_id": ":id", "actor_id": "reviewer-1", "from_status": "UNDER_REVIEW", "to_status": "CLOSED", "reason": "Reports received in full"}}, "occurred_at": "2026-11-23T01:47:40.536239Z"}]'::jsonb)
    AS (event_id uuid, destination text, case_id text, sequence int, event_type text, payload jsonb,
    occurred_at timestamptz)) WITH ORDINALITY AS new (event_id, destination, case_id, sequence,
    event_type, payload, occurred_at, place) ORDER BY place;
COMMIT;
