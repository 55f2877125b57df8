"""The words of cases, kept by triggers, and what a word is.

A word is a run of letters and digits, in small letters, its accents taken off (Unicode NFKD) and
what nobody sees left out; everything else stands between words. The classes are written out
instead of [[:alnum:]], whose meaning is the locale's. Searches are taken apart by the same
function, so nothing can be spelt in a way that the cases are not.
"""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models

FORWARDS = r"""
CREATE FUNCTION case_search_words(given text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    folded text := given;
BEGIN
    IF octet_length(given) > char_length(given) THEN  -- not ASCII alone
        folded := regexp_replace(normalize(given, NFKD),
            '[\u00ad\u0300-\u036f\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff]+', '', 'g');
        folded := regexp_replace(folded,
            '[\u0080-\u00bf\u00d7\u00f7\u2000-\u2bff\u2e00-\u2e7f\u3000-\u3004\u3008-\u3020'
            '\u3030\u303d\ufff0-\uffff\U0001f000-\U0001faff\U000e0000-\U000e007f]+', ' ', 'g');
    END IF;
    -- What stands between most words goes the quick way: each new case pays for this.
    folded := replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(
        lower(folded), '.', ' '), ',', ' '), ';', ' '), ':', ' '), '-', ' '), '/', ' '),
        '''', ' '), '(', ' '), ')', ' '), E'\n', ' ');
    IF folded ~ '[\u0001-\u001f\u0021-\u002f\u003a-\u0060\u007b-\u007f]' THEN
        folded := regexp_replace(folded, '[\u0001-\u002f\u003a-\u0060\u007b-\u007f]+', ' ', 'g');
    END IF;
    IF octet_length(folded) > 2000 THEN
        -- A lexeme holds 2,046 bytes: what is longer counts as several words. All of them
        -- together hold a MiB, and this much of a text always fits.
        folded := regexp_replace(left(folded, 200000), '([^ ]{200})', '\1 ', 'g');
    END IF;
    RETURN array_remove(string_to_array(folded, ' '), '');
END $$;

-- Each word as the beginning of one, and all of them; NULL, which nothing matches, without any.
CREATE FUNCTION case_search_query(given text) RETURNS tsquery
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT string_agg('''' || word || ''':*', ' & ')::tsquery
      FROM unnest(case_search_words(given)) AS word
$$;

CREATE FUNCTION case_search_document(title text, subject text, external_reference text,
                                     description text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array_to_tsvector(case_search_words(
        title || ' ' || subject || ' ' || external_reference || ' ' || description))
$$;

CREATE TABLE case_words (
    case_id varchar(20) COLLATE "C" PRIMARY KEY,
    document tsvector NOT NULL
);
INSERT INTO case_words (case_id, document)
SELECT id, case_search_document(title, subject, external_reference, description) FROM cases;
CREATE INDEX case_words_document ON case_words USING gin (document);

-- The cases with these words, at most so many, always by the index: no guess of the planner can
-- make it read all documents instead.
CREATE FUNCTION case_search_hits(given text, most int) RETURNS SETOF varchar
LANGUAGE sql STABLE STRICT SET enable_seqscan = off AS $$
    SELECT case_id FROM case_words WHERE document @@ case_search_query(given) LIMIT most
$$;

-- By statement: the cases of a batch cost half of what they would one by one.
CREATE FUNCTION cases_words_of_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO case_words (case_id, document)
    SELECT id, case_search_document(title, subject, external_reference, description) FROM added;
    RETURN NULL;
END $$;
CREATE TRIGGER cases_words_of_new AFTER INSERT ON cases REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION cases_words_of_new();

CREATE FUNCTION cases_words_of_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE case_words
       SET document = case_search_document(NEW.title, NEW.subject, NEW.external_reference,
                                           NEW.description)
     WHERE case_id = NEW.id;
    RETURN NULL;
END $$;
-- A transition names none of these columns, and does not even come to the comparison.
CREATE TRIGGER cases_words_of_changed
    AFTER UPDATE OF title, subject, external_reference, description ON cases FOR EACH ROW
    WHEN ((OLD.title, OLD.subject, OLD.external_reference, OLD.description)
          IS DISTINCT FROM (NEW.title, NEW.subject, NEW.external_reference, NEW.description))
    EXECUTE FUNCTION cases_words_of_changed();

-- For a superuser's session with session_replication_role = replica as well.
ALTER TABLE cases ENABLE ALWAYS TRIGGER cases_words_of_new;
ALTER TABLE cases ENABLE ALWAYS TRIGGER cases_words_of_changed;

-- Nobody's temporary table or function may stand in for one of ours.
DO $$
DECLARE signature text;
BEGIN
    FOREACH signature IN ARRAY ARRAY[
        'case_search_words(text)', 'case_search_query(text)',
        'case_search_document(text, text, text, text)', 'case_search_hits(text, int)',
        'cases_words_of_new()', 'cases_words_of_changed()'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', signature,
                       current_schema());
    END LOOP;
END $$;
"""

BACKWARDS = """
DROP TRIGGER cases_words_of_changed ON cases;
DROP TRIGGER cases_words_of_new ON cases;
DROP FUNCTION cases_words_of_changed();
DROP FUNCTION cases_words_of_new();
DROP FUNCTION case_search_hits(text, int);
DROP TABLE case_words;
DROP FUNCTION case_search_document(text, text, text, text);
DROP FUNCTION case_search_query(text);
DROP FUNCTION case_search_words(text);
"""

STATE = [
    migrations.CreateModel(
        name="CaseWords",
        fields=[
            (
                "case",
                models.OneToOneField(
                    db_constraint=False,
                    on_delete=django.db.models.deletion.PROTECT,
                    primary_key=True,
                    related_name="+",
                    serialize=False,
                    to="cases.case",
                ),
            ),
            ("document", django.contrib.postgres.search.SearchVectorField()),
        ],
        options={"db_table": "case_words", "default_permissions": ()},
    ),
    migrations.AddIndex(
        model_name="casewords",
        index=django.contrib.postgres.indexes.GinIndex(
            fields=["document"], name="case_words_document"
        ),
    ),
]


class Migration(migrations.Migration):
    dependencies = [("cases", "0004_list_indexes")]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS, state_operations=STATE)]
