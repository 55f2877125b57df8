"""Fills a scratch database with cases of an office that is years old, to measure lists on them.

    createdb scratch
    export DATABASE_URL=postgresql:///scratch
    .venv/bin/python manage.py migrate
    .venv/bin/python tests/performance/load_cases.py 1000000

The guards are off while it runs, since nobody acted here: a case comes with its last status and
two events. So it takes an empty database only, and nothing that matters may live there. The same
number is always the same data: 70 % closed, 500 reviewers, 40 categories and 8 sources of very
different sizes, 5 % restricted, as many grants as restricted cases. The account
``granted-three`` has no role and was granted three cases.
"""

from __future__ import annotations

import os
import sys

import psycopg

ACCOUNTS = """
INSERT INTO auth_user (username, password, is_active, is_staff, is_superuser, first_name,
                       last_name, email, date_joined)
SELECT name, '!', true, false, false, '', '', '', now()
  FROM (SELECT 'reviewer-' || n AS name FROM generate_series(0, 499) n
        UNION ALL SELECT 'guest-' || n FROM generate_series(0, 499) n
        UNION ALL SELECT 'granted-three') AS names
"""

# Made from the number alone: hashes instead of random(), so that each run makes the same rows.
CASES = """
INSERT INTO cases (id, title, description, received_at, category, subject, external_reference,
                   source, priority, restricted, status, assigned_reviewer_id, version, created_by,
                   submitted_by, created_at, updated_at, submitted_at, closed_at, due_at,
                   overdue_at, paused_at)
SELECT next_case_id(),
       (ARRAY['Late reporting', 'Fees not disclosed', 'Claim refused without reasons',
              'Cold chain interrupted', 'Allergen not named', 'Account closed without notice'])
           [1 + d %% 6] || ', report ' || n,
       'The firm has not answered since the branch was told in writing that a refund would follow'
           || ' within ten days; nothing arrived. Matter ' || md5(n::text) || ', '
           || (ARRAY['invoice', 'mortgage', 'pension', 'freezer', 'almond', 'deposit',
                     'leasing', 'broker'])[1 + e %% 8]
           || CASE WHEN n %% 1000 = 7 THEN ' Überweisung' ELSE '' END
           || CASE WHEN n %% 200000 = 11 THEN ' whistleblower' ELSE '' END
           || repeat(' It was raised again and again, in letters and by telephone.', 1 + f %% 4),
       created, category, 'Firm ' || lpad((g %% 20011)::text, 5, '0') || ' Ltd',
       'REG-' || lpad(n::text, 8, '0'), source,
       CASE WHEN h < 15 THEN 'LOW' WHEN h < 85 THEN 'NORMAL' WHEN h < 97 THEN 'HIGH'
            ELSE 'URGENT' END,
       n %% 20 = 3, status,
       CASE WHEN status = 'DRAFT' OR status = 'SUBMITTED' AND d %% 2 = 0 THEN NULL
            ELSE 'reviewer-' || floor(499.999 * pow((g %% 100000) / 100000.0, 2))::int END,
       1, 'writer-' || d %% 50, CASE WHEN status <> 'DRAFT' THEN 'writer-' || d %% 50 END,
       created,
       coalesce(closed, created + make_interval(hours => 1 + e %% 500)),
       CASE WHEN status <> 'DRAFT' THEN created + interval '1 hour' END,
       closed,
       CASE WHEN status <> 'DRAFT' AND f %% 10 < 9
            THEN created + make_interval(days => 20 + g %% 100) END,
       NULL,
       CASE WHEN status IN ('SUBMITTED', 'UNDER_REVIEW') AND f %% 20 = 0
            THEN created + interval '2 days' END
  FROM (SELECT *, CASE WHEN status = 'CLOSED'
                       THEN least(created + make_interval(days => 5 + e %% 180),
                                  timestamptz '2026-11-01T12:00Z') END AS closed
          FROM (SELECT *,
                       timestamptz '2026-11-01T12:00Z'
                           - (%(count)s - n / 5 * 5) * (interval '10 years' / %(count)s) AS created,
                       CASE WHEN n %% 200000 = 17 THEN 'Category 40'
                            WHEN n %% 10000 = 29 THEN 'Category 39'
                            ELSE 'Category ' || 1 + floor(38 * pow((e %% 100000) / 100000.0, 3))
                       END AS category,
                       CASE WHEN n %% 10000 = 31 THEN 'embassy'
                            ELSE (ARRAY['portal', 'portal', 'portal', 'portal', 'letter', 'letter',
                                        'telephone', 'register', 'court', 'police', 'press'])
                                 [1 + f %% 11] END AS source,
                       CASE WHEN (n > %(count)s * 0.75 AND c >= 20) OR c >= 87
                            THEN (ARRAY['DRAFT', 'DRAFT', 'SUBMITTED', 'SUBMITTED', 'SUBMITTED',
                                        'UNDER_REVIEW', 'UNDER_REVIEW', 'UNDER_REVIEW',
                                        'UNDER_REVIEW', 'ESCALATED'])[1 + d %% 10]
                            ELSE 'CLOSED' END AS status
                  FROM (SELECT n,
                               abs(hashtext('c' || n) %% 100) AS c,
                               abs(hashtext('d' || n) %% 1000000) AS d,
                               abs(hashtext('e' || n) %% 1000000) AS e,
                               abs(hashtext('f' || n) %% 1000000) AS f,
                               abs(hashtext('g' || n) %% 1000000) AS g,
                               abs(hashtext('h' || n) %% 100) AS h
                          FROM generate_series(1, %(count)s) AS n) AS numbers) AS facts) AS dated
 ORDER BY n
"""

GRANTS = """
INSERT INTO case_user_permissions (case_id, user_id, permission_id)
SELECT id, (SELECT id FROM auth_user WHERE username = name), permission
  FROM (SELECT id, CASE WHEN n % 2 = 0 THEN 'reviewer-' || n / 2 % 500
                        ELSE 'guest-' || n / 2 % 500 END AS name
          FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM cases WHERE restricted)
               AS numbered
        UNION ALL
        SELECT id, 'granted-three' FROM (SELECT id FROM cases ORDER BY md5(id) LIMIT 3) AS three)
       AS granted,
       (SELECT id AS permission FROM auth_permission WHERE codename = 'view_case') AS viewing
"""

WORDS = """
INSERT INTO case_words (case_id, document)
SELECT id, case_search_document(title, subject, external_reference, description) FROM cases
"""

EVENTS = """
INSERT INTO audit_events (id, case_id, sequence, actor_id, event_type, occurred_at, recorded_at,
                          request_id, details, content_hash, previous_hash, hash)
SELECT gen_random_uuid(), id, sequence, created_by,
       CASE sequence WHEN 0 THEN 'CASE_CREATED' ELSE 'CASE_SUBMITTED' END,
       created_at, created_at, 'load',
       CASE sequence WHEN 0 THEN jsonb_build_object('title', title, 'to_status', 'DRAFT')
            ELSE jsonb_build_object('from_status', 'DRAFT', 'to_status', 'SUBMITTED') END,
       sha256(id::bytea), sha256(id::bytea), sha256(id::bytea)
  FROM cases, generate_series(0, 1) AS sequence
"""

GUARDS_OF = """
SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal
"""

TABLES = ("cases", "audit_events", "case_user_permissions")


def load(connection: psycopg.Connection, count: int, *, events: bool = True) -> None:
    """Fill an empty, migrated database; raises SystemExit where a case exists already."""
    if connection.execute("SELECT EXISTS (SELECT FROM cases)").fetchone() == (True,):
        sys.exit("There are cases in this database already: take an empty one.")
    guards = [
        (table, name)
        for table in TABLES
        for (name,) in connection.execute(GUARDS_OF, [table]).fetchall()
    ]
    for table, name in guards:
        connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}")
    connection.execute(ACCOUNTS)
    connection.execute(CASES, {"count": count})
    connection.execute(GRANTS)
    connection.execute(WORDS)
    if events:
        connection.execute(EVENTS)
    connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table, name in guards:
        connection.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def main() -> None:
    """Load as many cases as the first argument says, then gather statistics."""
    with psycopg.connect(
        os.environ["DATABASE_URL"], cursor_factory=psycopg.ClientCursor
    ) as connection:
        load(connection, int(sys.argv[1]))
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


if __name__ == "__main__":
    main()
