"""The heads that an anchor covers, read from the database in the order of the leaves.

Which events an anchor covers is a fact of one snapshot, which no clock can tell afterwards. So it
is written down: ``audit_anchor_heads`` holds, per anchor, the heads that had changed.
"""

from __future__ import annotations

from typing import Final

# The heads of now, in the order of their leaves (the column's collation is that of bytes).
CURRENT: Final = """
SELECT DISTINCT ON (case_id) case_id, sequence, hash
  FROM ONLY audit_events ORDER BY case_id, sequence DESC
"""
# The heads that an anchor covers.
COVERED: Final = """
SELECT DISTINCT ON (case_id) case_id, sequence, hash
  FROM ONLY audit_anchor_heads WHERE anchor <= %(number)s ORDER BY case_id, anchor DESC
"""
# The same beside what the trail holds at these places today; NULL where it holds nothing.
COMPARED: Final = f"""
SELECT covered.case_id, covered.sequence, covered.hash, event.hash
  FROM ({COVERED}) AS covered
  LEFT JOIN ONLY audit_events AS event USING (case_id, sequence)
 ORDER BY covered.case_id
"""  # noqa: S608 (constants)
# What one anchor after another has to write down.
CHANGED: Final = f"""
INSERT INTO audit_anchor_heads (case_id, anchor, sequence, hash)
SELECT head.case_id, %(number)s, head.sequence, head.hash
  FROM ({CURRENT}) AS head
  LEFT JOIN ({COVERED}) AS covered USING (case_id)
 WHERE (head.sequence, head.hash) IS DISTINCT FROM (covered.sequence, covered.hash)
"""  # noqa: S608 (constants)
