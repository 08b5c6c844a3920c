import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minihost.lenient_json import LenientJsonError, loads, read_object
from minihost.lenient_reader import MAX_DEPTH

DIALECT = """// first
/* before
the brace */
{
  # hash
  'single': 'it\\'s "x"',   // after a value
  "list": [1; 2, /* inside */ 3],
  "long": "one \\
two", "raw": "a
b",
  "again": 1, "again": {"nested": [true, false, null, -1.5e3]},
  "pair": "\\ud83d\\ude00 \\u00e9"
}
"""


def test_the_whole_dialect():
    document = loads(DIALECT)
    assert document.value == {
        "single": 'it\'s "x"',
        "list": [1, 2, 3],
        "long": "one two",
        "raw": "a\nb",
        "again": {"nested": [True, False, None, -1500.0]},
        "pair": "😀 é",
    }
    reported = [str(relaxation) for relaxation in document.relaxations]
    assert "line 1: // comment" in reported
    assert "line 2: /* comment" in reported
    assert "line 5: # comment" in reported
    assert "line 6: single quotes" in reported
    assert "line 7: ; for ," in reported
    assert "line 8: backslash before a newline" in reported
    assert "line 9: newline in a string" in reported
    assert any("'again' again" in line for line in reported)
    assert document.warnings == ()


@pytest.mark.parametrize("text", ['{"a": [1, 2,],}', "\ufeff{}", '{"a": 1;}'])
def test_what_no_plugin_uses_is_a_warning(text):
    assert loads(text).warnings


def test_numbers_keep_their_type():
    value = loads("# lenient\n[1, 1.0, -0, 1e2, 9007199254740993]").value
    assert value == [1, 1.0, 0, 100.0, 9007199254740993]
    assert [type(item) for item in value] == [int, float, int, float, int]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: the text ends too early"),
        ("{'a': 1\n 'b': 2}", "line 2: ',' or '}' is expected"),
        ("{a: 1}", "a name in double quotes is expected, not a"),
        ('{"a" 1}', "':' is expected"),
        ('{"a": NaN}', "is not a value"),
        ("[1e999]", "too large"),
        ("[01]", "is not a value"),
        ("[True]", "True is not a value; JSON writes true"),
        ('["abc]', "string that never ends"),
        ("/* x", "comment that never ends"),
        ("[1] 2", "after the end"),
        ('["\\u12"]', "four hexadecimal digits"),
        ("__import__('os')", "is not a value"),
    ],
)
def test_what_is_refused_names_the_line(text, message):
    with pytest.raises(LenientJsonError, match="line") as error:
        loads(text)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "[" * 150 + "]" * 150, "9" * 5000, "-" + "9" * 5000]
)
def test_depth_and_digits_have_caps(text):
    with pytest.raises(LenientJsonError):
        loads(text)


def test_depth_below_the_cap_is_read():
    assert loads("[" * MAX_DEPTH + "]" * MAX_DEPTH).value


def test_a_megabyte_of_oddities_is_read_in_one_go():
    assert len(loads("#\n" * 1000 + "[" + "1;" * 200_000 + "1]").relaxations) == 100


def test_files_of_strangers(tmp_path):
    path = tmp_path / "plugin.json"
    with pytest.raises(LenientJsonError, match="plugin.json"):
        read_object(path)
    path.write_bytes(b"{" + b" " * 1_000_001 + b"}")
    with pytest.raises(LenientJsonError, match="too large"):
        read_object(path)
    path.write_bytes(b'{"a": "\xff"}')
    with pytest.raises(LenientJsonError, match="UTF-8"):
        read_object(path)
    path.write_text("[]")
    with pytest.raises(LenientJsonError, match="object"):
        read_object(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(LenientJsonError, match="regular file"):
        read_object(path)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_strict_json_reads_as_the_standard_library_reads_it(value):
    text = json.dumps(value)
    assert loads(text).value == value
    assert loads(text).relaxations == ()
    assert loads("// lenient\n" + text).value == value


@given(st.text(alphabet="{}[]:,;'\"/*#\\\n1a-", max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        loads(text)
    except LenientJsonError as err:
        assert str(err).startswith("line ")
