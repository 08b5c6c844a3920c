"""What a person sees of a run."""

import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from minihost.runs import progress, results


@pytest.fixture
def result(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    output = SimpleNamespace(role="out", path=str(tmp_path / "x.csv"))
    return SimpleNamespace(created=[], outputs=[output], seconds=1.25, log=tmp_path / "jobs" / "log")


def test_numbers_that_are_no_counts():
    for value, text in ((float("nan"), "nan"), (float("inf"), "inf"), (2.5, "2.5"), (12345678, "12345678")):
        meter = progress.Meter()
        meter.learn({"progress": value})
        assert meter.text() == text


def test_plain_lines(result, capsys, monkeypatch):
    shown = progress.reporter("p/c", quiet=False)
    monkeypatch.setattr(progress, "EVERY", 0)
    with shown:
        shown.event({"target": [200, "FILES"]})
        shown.line("said \x1b[2J\té")
        shown.event({"progress": 50})
    shown.done(result, "answer")
    shown.failed(result.log)
    out, err = capsys.readouterr()
    assert out.splitlines() == ["answer", "out: x.csv"]
    assert err.splitlines() == ["said ?[2J\té", "p/c: 50 of 200 files", "done in 1.2 s; log: jobs/log", "log: jobs/log"]


def test_percent_and_bare_numbers(capsys, monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 0)
    shown = progress.Plain("p/c")
    shown.event({"progress": 3})
    shown.event({"target": (4, "NONE")})
    shown.event({"progress": 3})
    assert capsys.readouterr().err.splitlines() == ["p/c: 3", "p/c: 75 %"]


def test_not_too_often(capsys):
    shown = progress.Plain("p/c")
    for number in range(100):
        shown.event({"progress": number})
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_quiet_says_where_the_log_of_a_failure_is(result, capsys):
    shown = progress.reporter("p/c", quiet=True)
    with shown:
        shown.line("said")
        shown.event({"progress": 1})
    shown.done(result, "answer")
    shown.failed(result.log)
    assert capsys.readouterr() == ("", "log: jobs/log\n")


def test_a_terminal_gets_a_bar_and_lines_above_it(result, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(progress.sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    shown = progress.reporter("p/[c]", quiet=False)
    with shown:
        shown.event({"target": [10, "NONE"]})
        shown.line("said [bold]so[/bold]")
        shown.event({"progress": 5})
        shown.bar.refresh()
    text = terminal.getvalue()
    assert "said [bold]so[/bold]" in text
    assert "p/[c]" in text
    assert "50 %" in text


class TestAnswers:
    def test_html_becomes_text(self):
        page = "<style>p {}</style><h1>Done &amp; well</h1><p>Wrote <b>5</b> files</p><ul><li>a<li>b</ul>\x1b[2J<script>x()</script>"
        assert results.plain(page) == "Done & well\nWrote 5 files\n- a\n- b\n[2J"

    def test_cells_of_html_tables_stay_apart(self):
        page = "<table><tr><th>Model</th><td>A</td></tr><tr><td>of   each </td><td>2 &lt; 3</td></tr></table>"
        assert results.plain(page) == "Model  A\nof each   2 < 3"

    def test_tables(self):
        columns = [{"id": "a", "label": "Name"}, {"id": "b", "label": ""}]
        table = {"name": "T", "columns": columns, "records": [["x", 1], ["longer", ["p", "q"]]]}
        lines = results.as_text({"type": "RESULT_TABLE", "table": table}).splitlines()
        assert lines == ["T", "Name    b", "------  ----", "x       1", "longer  p, q"]

    @pytest.mark.parametrize(
        ("answer", "text"),
        [
            (None, ""),
            ({"type": "NONE"}, ""),
            ({"type": "URL", "text": "https://x"}, "https://x"),
            ({"type": "FILE", "path": "/x"}, "File: /x"),
            ({"type": "JSON", "json": {"a": "é"}}, '{\n  "a": "é"\n}'),
        ],
    )
    def test_others(self, answer, text):
        assert results.as_text(answer) == text

    def test_files_of_bytes_and_text(self, tmp_path):
        kept = results.packed(b"\x00", {"resultType": "FILE", "extension": ".zip"}, tmp_path)
        assert (Path(kept["path"]).name, Path(kept["path"]).read_bytes()) == ("result.zip", b"\x00")
        assert Path(results.packed("text", {"resultType": "FILE"}, tmp_path)["path"]).read_text() == "text"
