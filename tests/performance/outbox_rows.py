"""Outbox rows in any number, written by PostgreSQL itself, for tests of plans and the bench."""

from __future__ import annotations

from typing import Final

# ``events`` rows for one destination, ``per_case`` of them a case, messages like those of a real
# case. With ``delivered`` they are history. Cases are numbered from ``first`` on.
FILL: Final = """
INSERT INTO outbox_events (event_id, destination, case_id, sequence, event_type, payload,
                           occurred_at, attempts, last_error, processed_at)
SELECT gen_random_uuid(), %(destination)s,
       'CASE-' || lpad((%(first)s + n / %(per_case)s)::text, 6, '0'), n %% %(per_case)s,
       'CASE_UPDATED',
       jsonb_build_object(
           'specversion', '1.0', 'id', gen_random_uuid(), 'source', '/regulatory-cases',
           'type', 'org.regulator.case.updated.v1',
           'subject', 'CASE-' || lpad((%(first)s + n / %(per_case)s)::text, 6, '0'),
           'time', '2026-11-20T09:30:00.000000Z', 'datacontenttype', 'application/json',
           'sequence', lpad((n %% %(per_case)s)::text, 10, '0'),
           'data', jsonb_build_object(
               'case_id', 'CASE-' || lpad((%(first)s + n / %(per_case)s)::text, 6, '0'),
               'actor_id', 'wanda',
               'changes', jsonb_build_object('title', jsonb_build_object(
                   'from', 'Late report of the firm number ' || n,
                   'to', 'Late report of the firm number ' || n || ', corrected')))),
       now(), (%(delivered)s)::int, '', CASE WHEN %(delivered)s THEN now() END
  FROM generate_series(0, %(events)s - 1) AS n
"""
