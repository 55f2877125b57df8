"""A token that ends, or belongs to another account, ends what is remembered of rights as well."""

from django.db import migrations

FORWARDS = """
CREATE TRIGGER rights_changed AFTER UPDATE OR DELETE OR TRUNCATE ON api_tokens
    FOR EACH STATEMENT EXECUTE FUNCTION rights_changed();
ALTER TABLE api_tokens ENABLE ALWAYS TRIGGER rights_changed;
"""

BACKWARDS = "DROP TRIGGER rights_changed ON api_tokens;"


class Migration(migrations.Migration):
    dependencies = [("config", "0001_initial"), ("cases", "0008_rights_version")]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
