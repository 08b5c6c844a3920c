"""What runs and ran, in the browser: builds that outlive the server, their log, stop, results, hostile content."""

import json
import os
import signal
import time

import pytest
from component_plugins import opened, put, role, write_components
from one_recipe import COPY

from minihost.projects import builds
from minihost.runs import detached, job_records, live_folders, log_parts
from minihost.runs.running import Options

WAIT = """
import pathlib, time
from dataiku.customrecipe import *
print("waiting for <b>go</b> \\x1b[31mred\\x1b[0m", flush=True)
while not pathlib.Path(get_recipe_config()["go"]).exists():
    time.sleep(0.02)
"""
ANSWER = """
import json
from dataiku.runnables import Runnable, ResultTable
class Answer(Runnable):
    def get_progress_target(self):
        return (4, "FILES")
    def run(self, progress_callback):
        progress_callback(3)
        print("token is", self.config.get("secret"))
        kind = self.config["kind"]
        if kind != "table":
            return {"file": b"<script>1</script>", "json": {"a": ["<b>"]}}.get(kind, self.config.get("text"))
        table = ResultTable()
        table.set_name("Counts")
        table.add_column("a", "A <i>")
        for number in range(600):
            table.add_record([number if number else "<script>alert(1)</script>"])
        return table
"""
KINDS = {"page": "HTML", "table": "RESULT_TABLE", "file": "FILE", "url": "URL", "json": "JSON_OBJECT", "none": "NONE"}
FLOW = """
plugins: [plugin]
steps:
  - {name: wait, recipe: wait, inputs: {in: rows.csv}, outputs: {out: waited.csv}, params: {go: %s}}
  - {name: copy, recipe: copy, inputs: {in: waited.csv}, outputs: {out: copied.csv}}
  - {name: wrong, recipe: copy, inputs: {inn: rows.csv}, outputs: {out: never.csv}}
"""


@pytest.fixture
def place(tmp_path):
    roles = {"inputRoles": [role("in")], "outputRoles": [role("out")]}
    params = [{"name": "kind", "type": "STRING"}, {"name": "text", "type": "STRING"}]
    params += [{"name": "secret", "type": "PASSWORD"}]
    number = {"name": "most", "type": "INT", "minI": 1}
    write_components(
        tmp_path / "plugin",
        {
            "wait": ({**roles, "params": [{"name": "go", "type": "STRING"}]}, WAIT + COPY),
            "copy": ({**roles, "params": []}, COPY),
        },
        {
            f"answer-{kind}": ({"params": params, "resultType": found, "extension": "html"}, ANSWER)
            for kind, found in KINDS.items()
        },
        {
            "webapps/look/webapp.json": json.dumps(
                {"meta": {"label": "Look"}, "hasBackend": "true", "params": [number]}
            ),
            "webapps/look/backend.py": "@app.route('/hello')\ndef hello():\n    return 'hello'\n",
        },
    )
    (tmp_path / "rows.csv").write_text("a\n1\n")
    (tmp_path / "flow.yaml").write_text(FLOW % (tmp_path / "go"))
    yield tmp_path
    for store in (detached.BUILDS, detached.WEBAPPS):
        for one in detached.all_of(tmp_path, store):
            while live_folders.is_alive(one.folder):
                detached.stop(one.folder)
                time.sleep(0.1)


def until(found):
    """Wait for an answer that is true, and return it."""
    limit = time.monotonic() + 60
    while not (answer := found()):
        assert time.monotonic() < limit
        time.sleep(0.05)
    return answer


def build_of(place, name):
    return next(one for one in builds.builds(place) if one.id == name)


def states(build):
    return {row["step"]: row["state"] for row in build.steps}


def waiting(place):
    """The job of the step that waits, once it says so."""
    (build,) = builds.live_builds(place)
    job = next((row["job"] for row in build.steps if row["step"] == "wait"), "")
    log = place / ".minihost" / "jobs" / job / "log"
    return job if job and log.is_file() and "waiting" in log.read_text() else ""


def test_a_build_outlives_the_server_and_is_seen_by_the_next(place, client_of):
    started = client_of(place, place / "plugin").post("/run", json={"targets": ["copied.csv"]}).get_json()
    assert started["command"] == f"minihost build --plugin {place}/plugin copied.csv"
    job = until(lambda: builds.live_builds(place) and waiting(place))
    client = client_of(place)
    refused = client.post("/run", json={"targets": ["wait"]})
    assert refused.status_code == 409
    assert refused.get_json()["mistakes"][0].startswith("wait: a build of ")
    page = client.get("/jobs").get_data(as_text=True)
    assert f'data-stop="{started["id"]}"' in page
    assert "state running" in page
    head = client.get(f"/job/log?id={job}").get_json()
    assert head["lines"] == ["waiting for <b>go</b> red"]
    assert not head["over"]
    (place / ".minihost" / "jobs" / job / "events.jsonl").write_text('{"target": [4, "FILES"]}\n{"progress": 3}\n')
    state = client.get("/state").get_json()
    assert state["running"] == [started["id"]]
    assert state["steps"]["wait"]["state"] == "running"
    assert state["steps"]["wait"]["progress"] == {"part": 0.75, "text": "3 of 4 files"}
    assert state["steps"]["copy"]["state"] == "waiting"
    assert client.get(f"/state?seen={state['rev']}").status_code == 204
    (place / "go").touch()
    until(lambda: not build_of(place, started["id"]).alive)
    done = build_of(place, started["id"])
    assert (done.status, states(done)) == ("done", {"wait": "done", "copy": "done"})
    assert (place / "copied.csv").read_text() == "a\n1\n"
    newest, oldest = job_records.records(place)
    assert [(one.step, one.status) for one in (newest, oldest)] == [("copy", "done"), ("wait", "done")]
    later = client.get(f"/job/log?id={job}&from={head['next']}&file={head['file']}").get_json()
    assert (later["lines"], later["over"], later["gap"]) == ([], True, False)
    page = client.get(f"/job?id={job}").get_data(as_text=True)
    assert 'data-run="wait"' in page
    assert 'href="/dataset?ref=rows.csv"' in page
    assert "rows.csv" in page
    again = client.post("/run", json={"targets": ["copied.csv"]}).get_json()
    until(lambda: not build_of(place, again["id"]).alive)
    assert states(build_of(place, again["id"])) == {"wait": "skipped", "copy": "skipped"}


def test_stop_and_kill(place, client_of):
    client = client_of(place)
    (place / "waited.csv").write_text("as it was\n")
    first = client.post("/run", json={"targets": ["copy"]}).get_json()["id"]
    job = until(lambda: builds.live_builds(place) and waiting(place))
    assert "Ctrl-C" in client.post("/stop", json={"id": first}).get_json()["said"]
    until(lambda: not build_of(place, first).alive)
    stopped = build_of(place, first)
    assert (stopped.status, states(stopped)) == ("stopped", {"wait": "stopped", "copy": "skipped"})
    assert job_records.record(place, job).status == "stopped"
    assert (place / "waited.csv").read_text() == "as it was\n"
    until(lambda: not live_folders.is_alive(stopped.folder))
    assert client.post("/stop", json={"id": first}).status_code == 422
    second = client.post("/run", json={"targets": ["copy"]}).get_json()["id"]
    job = until(lambda: builds.live_builds(place) and waiting(place))
    os.kill(int((builds.builds(place)[0].folder / detached.PROCESS).read_text().split()[0]), signal.SIGKILL)
    until(lambda: not build_of(place, second).alive)
    lost = build_of(place, second)
    assert (lost.status, states(lost)) == ("lost", {"wait": "lost", "copy": "skipped"})
    until(lambda: job_records.record(place, job).status == "lost")
    assert "waiting for" in client.get(f"/job/log?id={job}").get_json()["lines"][0]
    assert (place / "waited.csv").read_text() == "as it was\n"
    assert client.post("/stop", json={"id": "../../x"}).status_code == 404


def test_what_cannot_run_is_said_before_or_seen_afterwards(place, client_of):
    client = client_of(place)
    for targets, says in ((["wrong"], "There is no input role 'inn'"), (["cpied.csv"], "Did you mean 'copied.csv'?")):
        refused = client.post("/run", json={"targets": targets}, headers={"Accept": "application/json"})
        assert refused.status_code == 422
        assert says in refused.get_json()["mistakes"][0]
    for odd in ({"targets": "copy"}, {"targets": [1]}, [], "x"):
        assert client.post("/run", json=odd).status_code == 400
    assert builds.builds(place) == []
    one = detached.start(place, detached.BUILDS, ["build", "--nonsense", "<i>"], {})
    until(lambda: not build_of(place, one.id).alive)
    assert build_of(place, one.id).status == "refused"
    page = client.get("/jobs").get_data(as_text=True)
    assert "did not start" in page
    assert "No such option &#39;--nonsense&#39;" in page or "No such option: --nonsense" in page
    two = detached.start(place, detached.BUILDS, ["build", "wrong"], {})
    until(lambda: not build_of(place, two.id).alive)
    assert "There is no input role" in build_of(place, two.id).reason


def answered(place, kind, **params):
    """A job of a macro that answers so, run in this process."""
    values = ", ".join(f"{name}: {json.dumps(value)}" for name, value in {"kind": kind, **params}.items())
    put(place / "flow.yaml", f"plugins: [plugin]\nsteps: [{{macro: answer-{kind}, params: {{{values}}}}}]\n")
    opened(place).run([], Options(quiet=True, in_process=True), force=True, report=lambda _line: None)
    return job_records.records(place)[0]


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        ("page", "<p style='color:red'>x</p><script>alert(1)</script>", '<iframe class="answer" sandbox title='),
        ("table", "", "<td>&lt;script&gt;alert(1)&lt;/script&gt;</td>"),
        ("file", "", "Download result.html"),
        ("url", "javascript:alert(1)", "<pre>javascript:alert(1)</pre>"),
        ("url", "https://example.org/?a=<b>", 'href="https://example.org/?a=&lt;b&gt;"'),
        ("json", "", "&lt;b&gt;"),
        ("none", "", ""),
    ],
)
def test_macros_show_what_they_answer(place, client_of, kind, text, says):
    job = answered(place, kind, text=text, secret="very-secret")
    client = client_of(place)
    found = client.get(f"/job/result?id={job.id}").get_data(as_text=True)
    assert says in found
    assert "<script>" not in found
    page = client.get(f"/job/result/page?id={job.id}")
    assert page.status_code == (200 if kind == "page" else 404)
    if kind == "page":
        assert page.get_data(as_text=True) == text
        assert page.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    download = client.get(f"/job/result/file?id={job.id}")
    assert download.status_code == (200 if kind == "file" else 404)
    if kind == "file":
        assert download.data == b"<script>1</script>"
        assert download.headers["Content-Disposition"].startswith("attachment")
        assert download.mimetype == "application/octet-stream"
    if kind == "table":
        assert "100 rows more" in found
    everything = client.get(f"/job?id={job.id}").get_data(as_text=True) + str(client.get(f"/job/log?id={job.id}").json)
    assert "very-secret" not in everything
    assert "token is *****" in everything
    assert job.progress().text() == "3 of 4 files"


def test_jobs_that_are_old_broken_or_hostile(place, client_of):
    client, jobs = client_of(place), place / ".minihost" / "jobs"
    names = [f"20200101-00000{number}-a<b>-0000{number}0" for number in range(5)]
    for number, name in enumerate(names):
        (jobs / name).mkdir(parents=True)
        put(jobs / name / "log", "<script>\x07\x1b[2Jlong" + "x" * 5000 + "\n")
        content = ("{", json.dumps({"kind": 1, "config": [], "inputs": {"a": 1}, "step": {}}), "[" * 100000, "", "[]")
        put(jobs / name / "job.json", content[number])
    put(jobs / names[0] / "result.json", json.dumps({"status": "failed", "reason": "<i>why</i>"}))
    put(
        jobs / names[1] / "result.json",
        json.dumps({"status": "done", "result": {"type": "FILE", "path": "/etc/passwd"}}),
    )
    (jobs / "20200101-000009-link-000000").symlink_to("/etc")
    for number, one in enumerate(reversed(job_records.records(place))):
        assert (one.component, one.status) == ("a<b>", ("failed", "done", "lost", "lost", "lost")[number])
        for address in ("job", "job/log", "job/result"):
            found = client.get(f"/{address}", query_string={"id": one.id})
            assert found.status_code == 200
            assert b"<b>" not in found.data or address == "job/log"
        line = client.get("/job/log", query_string={"id": one.id}).get_json()["lines"][0]
        assert line.startswith("<script>?long")
        assert line.endswith("characters more]")
        assert client.get("/job/result/file", query_string={"id": one.id}).status_code == 404
    assert b"&lt;i&gt;why" in client.get("/jobs").data
    for name in ("", "..", "../jobs/" + names[0], names[0] + "/..", "20200101-000009-link-000000", "x\0", "%2e%2e"):
        for address in ("job", "job/log", "job/log/file", "job/result", "job/result/page"):
            assert client.get(f"/{address}", query_string={"id": name}).status_code == 404


def test_a_log_is_read_in_parts(tmp_path):
    path = put(tmp_path / "log", "")
    assert log_parts.part(path, None) == log_parts.LogPart(file=path.stat().st_ino)
    lines = [f"line {number}" for number in range(20000)]
    path.write_text("\n".join(lines) + "\nhalf")
    part = log_parts.part(path, 0, path.stat().st_ino)
    seen = [*part.lines]
    while part.more:
        part = log_parts.part(path, part.next, part.file)
        seen += part.lines
    assert seen == lines
    assert log_parts.part(path, part.next, part.file, is_over=True).lines == ("half",)
    tail = log_parts.part(path, None)
    assert tail.gap
    assert tail.lines[-1] == "line 19999"
    assert tail.lines[0] in lines
    path.rename(tmp_path / "log.first")
    put(path, "anew\n")
    again = log_parts.part(path, part.next, part.file)
    assert (again.lines, again.gap) == (("anew",), True)
    path.write_bytes(b"x" * (3 * log_parts.MOST))
    assert log_parts.part(path, 0, path.stat().st_ino).next == log_parts.MOST


def test_a_web_app_is_started_with_its_link_and_stopped(place, client_of):
    import urllib.request

    client = client_of(place)
    assert "Look" in client.get("/webapps").get_data(as_text=True)
    wrong = client.post("/webapps/start", json={"component": "look", "params": {"most": 0}})
    by_form = {"component": "look", "kind": "webapp", "params": {"0": "0"}}
    assert client.post("/webapps/start", json=by_form).text == wrong.text
    assert wrong.status_code == 422
    started = client.post("/webapps/start", json={"component": "sample/look", "params": {"most": 3}}).get_json()

    def link():
        page = client.get("/webapps/list").get_data(as_text=True)
        return 'href="http' in page and page.partition('href="')[2].partition('"')[0]

    address = until(link).replace("/?", "/backend/hello?")
    assert urllib.request.urlopen(address).read() == b"hello"
    folder = place / ".minihost" / detached.WEBAPPS / started["id"]
    assert (folder / detached.OUTPUT).stat().st_mode & 0o077 == 0
    assert folder.stat().st_mode & 0o077 == 0
    assert not (folder / detached.PARAMS).exists()
    assert client.post("/stop", json={"id": started["id"]}).status_code == 200
    until(lambda: not live_folders.is_alive(folder))
    page = client.get("/webapps/list").get_data(as_text=True)
    assert "stopped" in page
    assert "token" not in page
