-- Cases number :first to :last of :total, spread over a year, with their trails and grants.
-- Runs with the guards off, so everything that they would make or check is made right here.

-- What is drawn for each case. Half of the closed cases were escalated before.
CREATE TEMP TABLE drawn ON COMMIT DROP AS
SELECT n,
       'CASE-' || lpad(n::text, greatest(6, length(n::text)), '0') AS id,
       date_trunc('second', now()) - interval '366 days'
           + n * (interval '365 days' / %(total)s) AS created_at,
       (ARRAY['DRAFT', 'SUBMITTED', 'UNDER_REVIEW', 'ESCALATED', 'CLOSED', 'CLOSED', 'CLOSED',
              'CLOSED', 'CLOSED', 'CLOSED'])[1 + floor(random() * 10)::int] AS status,
       'reviewer-' || 1 + floor(random() * 500)::int AS reviewer,
       random() < 0.02 AS restricted,
       random() < 0.20 AS granted,
       random() < 0.50 AS was_escalated,
       random() < 0.50 AS has_due_date,
       (ARRAY['LOW', 'NORMAL', 'NORMAL', 'NORMAL', 'HIGH', 'URGENT'])
           [1 + floor(random() * 6)::int] AS priority,
       (ARRAY['Reporting', 'Market conduct', 'Capital', 'Licensing', 'Complaint'])
           [1 + floor(random() * 5)::int] AS category,
       'Firm ' || 1 + floor(random() * 20000)::int AS subject,
       'Late reporting of position limits ' || n AS title,
       'Register' AS source,
       'R-' || n AS external_reference,
       CASE WHEN random() < 0.33
            THEN 'Positions over the limit were reported after the end of the period, on day '
                 || n %% 30 || ', and the explanation given does not cover all of them.'
            ELSE '' END AS description
  FROM generate_series(%(first)s::int, %(last)s::int) AS n;

-- What happened to them, in its order. The details are written as canonical JSON: sorted names,
-- no spaces (RFC 8785), since their hash is taken over exactly this text.
CREATE TEMP TABLE facts ON COMMIT DROP AS
SELECT n, id AS case_id, (row_number() OVER (PARTITION BY n ORDER BY hours) - 1)::int AS sequence,
       fact.actor_id, fact.event_type, created_at + hours * interval '1 hour' AS occurred_at,
       fact.details
  FROM drawn,
       LATERAL (SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS t,
                       to_char((created_at + interval '30 days') AT TIME ZONE 'UTC',
                               'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS due) AS texts,
       LATERAL (VALUES
           (0, true, 'writer-1', 'CASE_CREATED',
            '{"category":"' || category || '",'
            || CASE WHEN description <> '' THEN '"description_sha256":"'
                    || encode(sha256(convert_to(description, 'UTF8')), 'hex') || '",' ELSE '' END
            || '"external_reference":"' || external_reference || '","priority":"' || priority
            || '","received_at":"' || t || '","source":"' || source || '","subject":"' || subject
            || '","title":"' || title || '","to_status":"DRAFT"}'),
           (1, status <> 'DRAFT', 'writer-1', 'CASE_SUBMITTED',
            '{' || CASE WHEN has_due_date THEN '"due_at":"' || due || '",' ELSE '' END
            || '"from_status":"DRAFT","to_status":"SUBMITTED"}'),
           (2, restricted, 'supervisor-1', 'CASE_RESTRICTED', '{"reason":"Named in the press"}'),
           (3, restricted AND granted, 'supervisor-1', 'CASE_ACCESS_GRANTED',
            '{"permission":"view_case","user":"guest-' || n %% 20 || '"}'),
           (4, status NOT IN ('DRAFT', 'SUBMITTED'), reviewer, 'CASE_REVIEW_STARTED',
            '{"from_status":"SUBMITTED","reviewer_id":"' || reviewer
            || '","to_status":"UNDER_REVIEW"}'),
           (5, status = 'ESCALATED' OR (status = 'CLOSED' AND was_escalated), reviewer,
            'CASE_ESCALATED',
            '{"from_status":"UNDER_REVIEW","reason":"More than one firm","to_status":"ESCALATED"}'),
           (6, status = 'CLOSED', reviewer, 'CASE_CLOSED',
            '{"from_status":"' || CASE WHEN was_escalated THEN 'ESCALATED' ELSE 'UNDER_REVIEW' END
            || '","reason":"Reports received in full","to_status":"CLOSED"}')
       ) AS fact (hours, happened, actor_id, event_type, details)
 WHERE fact.happened;

INSERT INTO cases (id, title, description, received_at, category, subject, external_reference,
                   source, priority, restricted, status, assigned_reviewer_id, version, created_by,
                   submitted_by, created_at, updated_at, submitted_at, closed_at, due_at)
SELECT id, title, description, created_at, category, subject, external_reference, source, priority,
       restricted, status, CASE WHEN status NOT IN ('DRAFT', 'SUBMITTED') THEN reviewer END,
       last.sequence, 'writer-1', CASE WHEN status <> 'DRAFT' THEN 'writer-1' END, created_at,
       last.occurred_at, CASE WHEN status <> 'DRAFT' THEN created_at + interval '1 hour' END,
       CASE WHEN status = 'CLOSED' THEN last.occurred_at END,
       CASE WHEN has_due_date AND status <> 'DRAFT' THEN created_at + interval '30 days' END
  FROM drawn
  JOIN (SELECT DISTINCT ON (n) n, sequence, occurred_at FROM facts ORDER BY n, sequence DESC) AS last
       USING (n)
 ORDER BY n;

-- The running hash of a trail, as audit_events_chain links it row by row.
CREATE FUNCTION pg_temp.link(previous bytea, content bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE AS 'SELECT sha256(previous || content)';
CREATE AGGREGATE pg_temp.chain(bytea) (
    SFUNC = pg_temp.link, STYPE = bytea,
    INITCOND = '\x0000000000000000000000000000000000000000000000000000000000000000'
);
INSERT INTO audit_events (id, case_id, sequence, actor_id, event_type, occurred_at, recorded_at,
                          request_id, details, content_hash, previous_hash, hash)
SELECT id, case_id, sequence, actor_id, event_type, occurred_at, occurred_at, 'load',
       details::jsonb, content_hash,
       coalesce(lag(hash) OVER trail, decode(repeat('00', 32), 'hex')), hash
  FROM (SELECT *, pg_temp.chain(content_hash) OVER (PARTITION BY case_id ORDER BY sequence) AS hash
          FROM (SELECT *, sha256(convert_to(
                           '{"actor_id":"' || actor_id || '","case_id":"' || case_id
                           || '","details":' || details || ',"event_id":"' || id
                           || '","event_type":"' || event_type || '","format":1,"occurred_at":"'
                           || t || '","recorded_at":"' || t
                           || '","request_id":"load","sequence":' || sequence || '}',
                           'UTF8')) AS content_hash
                  FROM (SELECT *,
                               to_char(occurred_at AT TIME ZONE 'UTC',
                                       'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS t,
                               -- A UUIDv7: the millisecond, then what makes it unique.
                               (lpad(to_hex((extract(epoch FROM occurred_at) * 1000)::bigint), 12, '0')
                                || '7' || substr(md5(case_id || '/' || sequence), 1, 3)
                                || '8' || substr(md5(case_id || '/' || sequence), 4, 15))::uuid AS id
                          FROM facts) AS timed) AS hashed) AS linked
WINDOW trail AS (PARTITION BY case_id ORDER BY sequence)
 ORDER BY n, sequence;
DROP AGGREGATE pg_temp.chain(bytea);
DROP FUNCTION pg_temp.link(bytea, bytea);

INSERT INTO case_user_permissions (case_id, user_id, permission_id)
SELECT drawn.id, auth_user.id, auth_permission.id
  FROM drawn
  JOIN auth_user ON username = 'guest-' || n %% 20
  JOIN auth_permission ON codename = 'view_case'
 WHERE drawn.restricted AND granted;

DROP TABLE facts, drawn;
