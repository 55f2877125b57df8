"""What Schemathesis cannot find out by itself; named in ``schemathesis.toml``."""

from __future__ import annotations

from typing import Any, Final

import schemathesis
from hypothesis import strategies as st
from schemathesis import HookContext

FORMAT: Final = "entity-tags"

_TAG: Final = st.builds(
    "{}{}".format, st.sampled_from(("", "W/")), st.from_regex(r'\A"[0-9]{1,2}"\Z')
)
_TAGS: Final = st.one_of(st.just("*"), _TAG, st.lists(_TAG, min_size=1, max_size=4).map(", ".join))


@schemathesis.hook
def before_load_schema(context: HookContext, raw_schema: dict[str, Any]) -> None:
    """Change two things in the copy that Schemathesis reads; the document itself stays.

    - Entity tags get a format of their own. The coverage phase writes headers of letters and
      digits only. It sees that most patterns allow none of these, but not this one, which is a
      choice between two, and so it would take ``0`` for a valid ``If-Match``.
    - The bound of ``X-Request-ID`` goes: it is the web server's (431), and no operation's.
    """
    parameters = raw_schema["components"]["parameters"]
    for name in ("IfMatch", "IfNoneMatch"):
        parameters[name]["schema"]["format"] = FORMAT
    del parameters["RequestId"]["schema"]["maxLength"]


schemathesis.openapi.format(FORMAT, _TAGS)
