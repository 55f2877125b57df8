r"""The rules of ``cases.intake`` for texts and times, as patterns that every reader takes alike.

``\s`` and ``.`` differ between the dialects of JavaScript, Python and Rust, so every character
stands in a class of its own. A test compares the patterns with the rules, character by character.
Lone surrogates are refused too, but no pattern can say so: a JSON Schema sees only Unicode texts.
"""

from __future__ import annotations

from typing import Final

# What is trimmed; what a line may not hold; what a reader cannot see.
_TRIMMED: Final = (
    r"\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
)
_NOT_IN_A_LINE: Final = r"\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069"
_UNSEEN: Final = (
    _TRIMMED + r"\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
)

LINE: Final = f"^[{_TRIMMED}]*[^{_NOT_IN_A_LINE}]*[{_TRIMMED}]*$"
REQUIRED_LINE: Final = (
    f"^[{_TRIMMED}]*[^{_NOT_IN_A_LINE}]*[^{_NOT_IN_A_LINE}{_UNSEEN}]"
    f"[^{_NOT_IN_A_LINE}]*[{_TRIMMED}]*$"
)
TEXT: Final = r"^[^\u0000]*$"
REQUIRED_TEXT: Final = rf"^[^\u0000]*[^\u0000{_UNSEEN}][^\u0000]*$"

_YEAR: Final = "(19(0[1-9]|[1-9][0-9])|20[0-9]{2}|21[0-9]{2})"
_DAY: Final = "(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_HOUR: Final = "([01][0-9]|2[0-3]):[0-5][0-9]"
MOMENT: Final = (
    f"^{_YEAR}-{_DAY}[Tt]{_HOUR}"
    rf":[0-5][0-9](\.[0-9]{{1,9}})?([Zz]|[+-]{_HOUR})$"
)

CASE_ID: Final = "^CASE-[0-9]{6,15}$"
REQUEST_ID: Final = "^[A-Za-z0-9._:/+=@-]{1,128}$"
ENTITY_TAG: Final = '^"(0|[1-9][0-9]{0,8})"$'
# What If-Match and If-None-Match take: any version, or a list of them (RFC 9110, section 13.1).
ENTITY_TAGS: Final = r'^(\*|(W/)?"[!#-~]*"( ?, ?(W/)?"[!#-~]*")*)$'
PRINTABLE: Final = "^[ -~]+$"
SHA_256: Final = "^[0-9a-f]{64}$"
CURSOR: Final = "^[A-Za-z0-9_-]+$"
CONSTANT: Final = "^[A-Z_]+$"
