"""A table that is only locked: whoever makes an anchor holds it, and the next one waits.

It was ``audit_anchors`` itself. But to lock a table PostgreSQL asks for the right to change what
stands in it, and the role of the service shall not have that on any table of the trail.
"""

from django.db import migrations

FORWARDS = "CREATE TABLE audit_anchor_turn ()"
BACKWARDS = "DROP TABLE audit_anchor_turn"


class Migration(migrations.Migration):
    dependencies = [("audit", "0005_events_by_actor")]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
