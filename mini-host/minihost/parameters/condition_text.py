"""Says a simple visibility condition in words; others stay as they are written."""

from __future__ import annotations

import re

_TEST = re.compile(
    r"(?P<no>!\s*)?model\.(?P<name>[\w$]+)"
    r"(?:\s*(?P<sign>===?|!==?)\s*(?:'(?P<one>[^'\\]*)'|\"(?P<two>[^\"\\]*)\"|(?P<bare>-?[\d.]+|true|false)))?"
)


def in_words(source: str) -> str:
    """Return `when label_source is auto or dataset` for tests that `||` or `&&` joins, and `if SOURCE` for others.

    The tests are `model.x`, `!model.x`, and `model.x == 'text'` or `!=`, with a number, true or false in place of the
    text.
    """
    sign = "||" if "||" in source else "&&"
    found = [_TEST.fullmatch(part.strip()) for part in source.split(sign)]
    tests = [match for match in found if match and not (match["no"] and match["sign"])]
    if len(tests) < len(found):
        return f"if {source}"
    words: list[str] = []
    before = ""
    for match in tests:
        negated = (match["sign"] or "").startswith("!") or bool(match["no"])
        value = next((match[key] for key in ("one", "two", "bare") if match[key] is not None), None)
        said = f"{match['name']} {'is not' if negated else 'is'}"
        text = "set" if value is None else value or "empty"
        # `x is a or b`; but `x is not a or is not b` would be misread when shortened
        words.append(text if said == before and not negated and sign == "||" else f"{said} {text}")
        before = said
    return "when " + (" or " if sign == "||" else " and ").join(words)
