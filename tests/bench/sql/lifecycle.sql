-- Create, submit, start the review, close: what the service sends for these four requests.
-- By the simple protocol: only there pgbench writes variables into quoted texts.
\set high random(1000, 9999)
\set low0 random(100000000000, 999999999999)
\set low1 random(100000000000, 999999999999)
\set low2 random(100000000000, 999999999999)
\set low3 random(100000000000, 999999999999)

-- create
SELECT t.digest, t.expiry, t.revoked_at IS NOT NULL, (SELECT value FROM rights_version LIMIT 1), u.username, u.is_active, u.is_superuser,
    ARRAY(SELECT g.name FROM auth_user_groups m JOIN auth_group g ON g.id = m.group_id WHERE
    m.user_id = u.id) AS role_names, ARRAY(SELECT p.codename FROM ( SELECT gp.permission_id FROM
    auth_user_groups m JOIN auth_group_permissions gp ON gp.group_id = m.group_id WHERE m.user_id =
    u.id UNION SELECT up.permission_id FROM auth_user_user_permissions up WHERE up.user_id = u.id )
    held JOIN auth_permission p ON p.id = held.permission_id JOIN django_content_type c ON c.id =
    p.content_type_id AND c.app_label = 'cases' ) AS codenames, EXISTS (SELECT FROM
    case_user_permissions g WHERE g.user_id = u.id) AS has_grants FROM api_tokens t JOIN auth_user u
    ON u.id = t.user_id WHERE t.token_key = ':writer_key';
BEGIN;
INSERT INTO cases (title, description, received_at, category, subject, external_reference, source,
    priority, restricted, status, assigned_reviewer_id, version, created_by, submitted_by,
    created_at, updated_at, submitted_at, closed_at, due_at, overdue_at, paused_at) VALUES
    ('Late reporting of position limits', '', '2026-11-23 06:02:02.069302+00:00'::timestamptz, '',
    '', '', '', 'NORMAL', false, 'DRAFT', NULL, 0, 'writer-1', NULL,
    '2026-11-23 06:02:02.069302+00:00'::timestamptz,
    '2026-11-23 06:02:02.069302+00:00'::timestamptz, NULL, NULL, NULL, NULL, NULL) RETURNING id \gset
INSERT INTO audit_events (id, case_id, sequence, actor_id, event_type, occurred_at, recorded_at,
    request_id, details, content_hash, previous_hash, hash) SELECT id, case_id, sequence, actor_id,
    event_type, occurred_at, '2026-11-23 06:02:02.069877+00:00'::timestamptz,
    '01a20612-18b9-7211-:high-:low0', details, decode(content_hash, 'hex'), '', '' FROM ROWS FROM
    (jsonb_to_recordset('[{"id":"01a20612-18b9-7211-:high-:low0","case_id":":id","sequence":0,"actor_id":"writer-1","event_type":"CASE_CREATED","occurred_at":"2026-11-23T06:02:02.069302Z","details":{"to_status":"DRAFT","title":"Late reporting of position limits","received_at":"2026-11-23T06:02:02.069302Z","priority":"NORMAL"},"content_hash":"aa580cfb048a207c08efd7b4d0f9dadb8ffbce56aed07deb461a446a30af1eea"}]'::jsonb)
    AS (id uuid, case_id text, sequence int, actor_id text, event_type text, occurred_at
    timestamptz, details jsonb, content_hash text)) WITH ORDINALITY AS new (id, case_id, sequence,
    actor_id, event_type, occurred_at, details, content_hash, place) ORDER BY place;
INSERT INTO outbox_events (event_id, destination, case_id, sequence, event_type, payload,
    occurred_at, attempts, last_error) SELECT event_id, destination, case_id, sequence, event_type,
    payload, occurred_at, 0, '' FROM ROWS FROM
    (jsonb_to_recordset('[{"event_id":"01a20612-18b9-7211-:high-:low0","destination":"log","case_id":":id","sequence":0,"event_type":"CASE_CREATED","payload":{"specversion":"1.0","id":"01a20612-18b9-7211-:high-:low0","source":"/regulatory-cases","type":"org.regulator.case.created.v1","subject":":id","time":"2026-11-23T06:02:02.069302Z","datacontenttype":"application/json","sequence":"0000000000","data":{"case_id":":id","actor_id":"writer-1","to_status":"DRAFT","title":"Late reporting of position limits","received_at":"2026-11-23T06:02:02.069302Z","priority":"NORMAL"}},"occurred_at":"2026-11-23T06:02:02.069302Z"}]'::jsonb)
    AS (event_id uuid, destination text, case_id text, sequence int, event_type text, payload jsonb,
    occurred_at timestamptz)) WITH ORDINALITY AS new (event_id, destination, case_id, sequence,
    event_type, payload, occurred_at, place) ORDER BY place;
COMMIT;

-- submit
BEGIN;
SELECT c.id, c.title, c.description, c.received_at, c.category, c.subject, c.external_reference,
    c.source, c.priority, c.restricted, c.status, c.assigned_reviewer_id, c.version, c.created_by,
    c.submitted_by, c.created_at, c.updated_at, c.submitted_at, c.closed_at, c.due_at, c.overdue_at,
    c.paused_at, (SELECT t.working_days FROM sla_targets t WHERE t.priority = c.priority),
    mine.granted FROM cases c CROSS JOIN LATERAL ( SELECT ARRAY(SELECT p.codename FROM
    case_user_permissions g JOIN auth_user u ON u.id = g.user_id JOIN auth_permission p ON p.id =
    g.permission_id WHERE g.case_id = c.id AND u.username = 'writer-1' AND u.is_active) AS granted OFFSET 0)
    AS mine WHERE c.id = ':id' AND (false OR true AND (NOT c.restricted OR c.assigned_reviewer_id =
    'writer-1') OR 'view_case' = ANY (mine.granted))
    AND (':rights_version'::uuid::uuid IS NULL OR (SELECT value FROM rights_version LIMIT 1) =
    ':rights_version'::uuid::uuid) FOR NO KEY UPDATE OF c;
UPDATE cases SET version = 1, updated_at = '2026-11-23 06:02:02.073170+00:00'::timestamptz, status =
    'SUBMITTED', assigned_reviewer_id = NULL, restricted = false, submitted_by = 'writer-1',
    submitted_at = '2026-11-23 06:02:02.073170+00:00'::timestamptz, closed_at = NULL, due_at =
    '2026-12-22 23:59:59.999999+00:00'::timestamptz,
    overdue_at = NULL, paused_at = NULL WHERE id = ':id' AND version = 0;
INSERT INTO audit_events (id, case_id, sequence, actor_id, event_type, occurred_at, recorded_at,
    request_id, details, content_hash, previous_hash, hash) SELECT id, case_id, sequence, actor_id,
    event_type, occurred_at, '2026-11-23 06:02:02.073937+00:00'::timestamptz,
    '01a20612-18b9-7211-:high-:low1', details, decode(content_hash, 'hex'), '', '' FROM ROWS FROM
    (jsonb_to_recordset('[{"id":"01a20612-18b9-7211-:high-:low1","case_id":":id","sequence":1,"actor_id":"writer-1","event_type":"CASE_SUBMITTED","occurred_at":"2026-11-23T06:02:02.073170Z","details":{"from_status":"DRAFT","to_status":"SUBMITTED"},"content_hash":"8a1af21fdb8249e1311abea7d6519e7609bafe0e09466d2a061bd923feb9d6b6"}]'::jsonb)
    AS (id uuid, case_id text, sequence int, actor_id text, event_type text, occurred_at
    timestamptz, details jsonb, content_hash text)) WITH ORDINALITY AS new (id, case_id, sequence,
    actor_id, event_type, occurred_at, details, content_hash, place) ORDER BY place;
INSERT INTO outbox_events (event_id, destination, case_id, sequence, event_type, payload,
    occurred_at, attempts, last_error) SELECT event_id, destination, case_id, sequence, event_type,
    payload, occurred_at, 0, '' FROM ROWS FROM
    (jsonb_to_recordset('[{"event_id":"01a20612-18b9-7211-:high-:low1","destination":"log","case_id":":id","sequence":1,"event_type":"CASE_SUBMITTED","payload":{"specversion":"1.0","id":"01a20612-18b9-7211-:high-:low1","source":"/regulatory-cases","type":"org.regulator.case.submitted.v1","subject":":id","time":"2026-11-23T06:02:02.073170Z","datacontenttype":"application/json","sequence":"0000000001","data":{"case_id":":id","actor_id":"writer-1","from_status":"DRAFT","to_status":"SUBMITTED"}},"occurred_at":"2026-11-23T06:02:02.073170Z"}]'::jsonb)
    AS (event_id uuid, destination text, case_id text, sequence int, event_type text, payload jsonb,
    occurred_at timestamptz)) WITH ORDINALITY AS new (event_id, destination, case_id, sequence,
    event_type, payload, occurred_at, place) ORDER BY place;
COMMIT;

-- start-review
BEGIN;
SELECT c.id, c.title, c.description, c.received_at, c.category, c.subject, c.external_reference,
    c.source, c.priority, c.restricted, c.status, c.assigned_reviewer_id, c.version, c.created_by,
    c.submitted_by, c.created_at, c.updated_at, c.submitted_at, c.closed_at, c.due_at, c.overdue_at,
    c.paused_at, mine.granted FROM cases c CROSS JOIN LATERAL ( SELECT ARRAY(SELECT p.codename FROM
    case_user_permissions g JOIN auth_user u ON u.id = g.user_id JOIN auth_permission p ON p.id =
    g.permission_id WHERE g.case_id = c.id AND u.username = 'reviewer-1' AND u.is_active) AS
    granted OFFSET 0) AS mine WHERE c.id = ':id' AND (false OR true AND (NOT c.restricted OR
    c.assigned_reviewer_id = 'reviewer-1') OR 'view_case' = ANY (mine.granted))
    AND (':rights_version'::uuid::uuid IS NULL OR (SELECT value FROM rights_version LIMIT 1) =
    ':rights_version'::uuid::uuid) FOR NO KEY UPDATE OF
    c;
UPDATE cases SET version = 2, updated_at = '2026-11-23 06:02:02.076526+00:00'::timestamptz, status =
    'UNDER_REVIEW', assigned_reviewer_id = 'reviewer-1', restricted = false, submitted_by =
    'writer-1', submitted_at = '2026-11-23 06:02:02.073170+00:00'::timestamptz, closed_at = NULL,
    due_at =
    '2026-12-22 23:59:59.999999+00:00'::timestamptz, overdue_at = NULL, paused_at = NULL WHERE id = ':id' AND version = 1;
INSERT INTO audit_events (id, case_id, sequence, actor_id, event_type, occurred_at, recorded_at,
    request_id, details, content_hash, previous_hash, hash) SELECT id, case_id, sequence, actor_id,
    event_type, occurred_at, '2026-11-23 06:02:02.076863+00:00'::timestamptz,
    '01a20612-18b9-7211-:high-:low2', details, decode(content_hash, 'hex'), '', '' FROM ROWS FROM
    (jsonb_to_recordset('[{"id":"01a20612-18b9-7211-:high-:low2","case_id":":id","sequence":2,"actor_id":"reviewer-1","event_type":"CASE_REVIEW_STARTED","occurred_at":"2026-11-23T06:02:02.076526Z","details":{"from_status":"SUBMITTED","to_status":"UNDER_REVIEW","reviewer_id":"reviewer-1"},"content_hash":"5823f2f5c6cf5fea6755f8b21b96c60fbe6a2627fac0f93d892d587c530eb0b2"}]'::jsonb)
    AS (id uuid, case_id text, sequence int, actor_id text, event_type text, occurred_at
    timestamptz, details jsonb, content_hash text)) WITH ORDINALITY AS new (id, case_id, sequence,
    actor_id, event_type, occurred_at, details, content_hash, place) ORDER BY place;
INSERT INTO outbox_events (event_id, destination, case_id, sequence, event_type, payload,
    occurred_at, attempts, last_error) SELECT event_id, destination, case_id, sequence, event_type,
    payload, occurred_at, 0, '' FROM ROWS FROM
    (jsonb_to_recordset('[{"event_id":"01a20612-18b9-7211-:high-:low2","destination":"log","case_id":":id","sequence":2,"event_type":"CASE_REVIEW_STARTED","payload":{"specversion":"1.0","id":"01a20612-18b9-7211-:high-:low2","source":"/regulatory-cases","type":"org.regulator.case.review-started.v1","subject":":id","time":"2026-11-23T06:02:02.076526Z","datacontenttype":"application/json","sequence":"0000000002","data":{"case_id":":id","actor_id":"reviewer-1","from_status":"SUBMITTED","to_status":"UNDER_REVIEW","reviewer_id":"reviewer-1"}},"occurred_at":"2026-11-23T06:02:02.076526Z"}]'::jsonb)
    AS (event_id uuid, destination text, case_id text, sequence int, event_type text, payload jsonb,
    occurred_at timestamptz)) WITH ORDINALITY AS new (event_id, destination, case_id, sequence,
    event_type, payload, occurred_at, place) ORDER BY place;
COMMIT;

-- close
BEGIN;
SELECT c.id, c.title, c.description, c.received_at, c.category, c.subject, c.external_reference,
    c.source, c.priority, c.restricted, c.status, c.assigned_reviewer_id, c.version, c.created_by,
    c.submitted_by, c.created_at, c.updated_at, c.submitted_at, c.closed_at, c.due_at, c.overdue_at,
    c.paused_at, mine.granted FROM cases c CROSS JOIN LATERAL ( SELECT ARRAY(SELECT p.codename FROM
    case_user_permissions g JOIN auth_user u ON u.id = g.user_id JOIN auth_permission p ON p.id =
    g.permission_id WHERE g.case_id = c.id AND u.username = 'reviewer-1' AND u.is_active) AS
    granted OFFSET 0) AS mine WHERE c.id = ':id' AND (false OR true AND (NOT c.restricted OR
    c.assigned_reviewer_id = 'reviewer-1') OR 'view_case' = ANY (mine.granted))
    AND (':rights_version'::uuid::uuid IS NULL OR (SELECT value FROM rights_version LIMIT 1) =
    ':rights_version'::uuid::uuid) FOR NO KEY UPDATE OF
    c;
UPDATE cases SET version = 3, updated_at = '2026-11-23 06:02:02.079300+00:00'::timestamptz, status =
    'CLOSED', assigned_reviewer_id = 'reviewer-1', restricted = false, submitted_by = 'writer-1',
    submitted_at = '2026-11-23 06:02:02.073170+00:00'::timestamptz, closed_at =
    '2026-11-23 06:02:02.079300+00:00'::timestamptz, due_at =
    '2026-12-22 23:59:59.999999+00:00'::timestamptz, overdue_at = NULL, paused_at =
    NULL WHERE id = ':id' AND version = 2;
INSERT INTO audit_events (id, case_id, sequence, actor_id, event_type, occurred_at, recorded_at,
    request_id, details, content_hash, previous_hash, hash) SELECT id, case_id, sequence, actor_id,
    event_type, occurred_at, '2026-11-23 06:02:02.079757+00:00'::timestamptz,
    '01a20612-18b9-7211-:high-:low3', details, decode(content_hash, 'hex'), '', '' FROM ROWS FROM
    (jsonb_to_recordset('[{"id":"01a20612-18b9-7211-:high-:low3","case_id":":id","sequence":3,"actor_id":"reviewer-1","event_type":"CASE_CLOSED","occurred_at":"2026-11-23T06:02:02.079300Z","details":{"from_status":"UNDER_REVIEW","to_status":"CLOSED","reason":"Reports received in full"},"content_hash":"9d2fc94b9865fb77fa4bf7f13030abdadb8f6e29b776e880d5aaf17191ee86fa"}]'::jsonb)
    AS (id uuid, case_id text, sequence int, actor_id text, event_type text, occurred_at
    timestamptz, details jsonb, content_hash text)) WITH ORDINALITY AS new (id, case_id, sequence,
    actor_id, event_type, occurred_at, details, content_hash, place) ORDER BY place;
INSERT INTO outbox_events (event_id, destination, case_id, sequence, event_type, payload,
    occurred_at, attempts, last_error) SELECT event_id, destination, case_id, sequence, event_type,
    payload, occurred_at, 0, '' FROM ROWS FROM
    (jsonb_to_recordset('[{"event_id":"01a20612-18b9-7211-:high-:low3","destination":"log","case_id":":id","sequence":3,"event_type":"CASE_CLOSED","payload":{"specversion":"1.0","id":"01a20612-18b9-7211-:high-:low3","source":"/regulatory-cases","type":"org.regulator.case.closed.v1","subject":":id","time":"2026-11-23T06:02:02.079300Z","datacontenttype":"application/json","sequence":"0000000003","data":{"case_id":":id","actor_id":"reviewer-1","from_status":"UNDER_REVIEW","to_status":"CLOSED","reason":"Reports received in full"}},"occurred_at":"2026-11-23T06:02:02.079300Z"}]'::jsonb)
    AS (event_id uuid, destination text, case_id text, sequence int, event_type text, payload jsonb,
    occurred_at timestamptz)) WITH ORDINALITY AS new (event_id, destination, case_id, sequence,
    event_type, payload, occurred_at, place) ORDER BY place;
COMMIT;
