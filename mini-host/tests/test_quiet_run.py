"""`minihost run MACRO -q`: the answer on stdout, for other programs to read, and nothing else anywhere."""

import json
from pathlib import Path

import pytest
from component_plugins import write_components

from minihost.cli import main

MACRO = """
from dataiku.runnables import ResultTable, Runnable
class Act(Runnable):
    def run(self, progress_callback):
        print("working")
        progress_callback(1)
        BODY
"""


@pytest.fixture
def answer(tmp_path, monkeypatch, capfd):
    """Return what is printed when a macro with this body is run."""
    monkeypatch.chdir(tmp_path)

    def run(kind, body, *words):
        macro = ({"resultType": kind, "extension": "csv"}, MACRO.replace("BODY", body))
        plugin = write_components(tmp_path / "plugin", macros={"act": macro})
        code = main(["run", "act", "--plugin", str(plugin), *words])
        return code, *capfd.readouterr()

    return run


@pytest.mark.parametrize(
    ("kind", "body", "printed"),
    [
        ("HTML", "return '<h1>Done</h1><p>5 &lt; 6 files</p>'", "Done\n5 < 6 files\n"),
        ("URL", "return 'https://example.org/?a=1&b=2'", "https://example.org/?a=1&b=2\n"),
        ("HTML", "return None", ""),
        ("NONE", "return 'ignored'", ""),
        (
            "RESULT_TABLE",
            "t = ResultTable(); t.add_column('a', 'A', 'STRING'); t.add_record(['x']); return t",
            "A\n-\nx\n",
        ),
    ],
)
def test_texts_and_tables(answer, kind, body, printed):
    assert answer(kind, body, "-q") == (0, printed, "")


def test_json(answer):
    code, out, err = answer("JSON_OBJECT", "return {'a': [1, None], 'b': 'é'}", "-q")
    assert (code, json.loads(out), err) == (0, {"a": [1, None], "b": "é"}, "")


def test_the_path_of_a_file_that_is_there(answer):
    code, out, err = answer("FILE", "open('x', 'w').write('a,b'); return 'x'", "-q")
    assert (code, Path(out.removesuffix("\n")).read_text(), err) == (0, "a,b", "")


def test_a_failure_says_why(answer):
    code, out, err = answer("HTML", "raise ValueError('no')", "-q")
    assert (code, out) == (1, "")
    log, reason = err.splitlines()
    assert Path(log.removeprefix("log: ")).is_file()
    assert reason == "ValueError: no"


def test_without_it_the_same_answer_and_more(answer):
    code, out, err = answer("HTML", "return 'Done'")
    assert (code, out) == (0, "Done\n")
    assert err.splitlines()[0] == "working"
