"""The server of the page is killed, two tabs edit at once, a hand edits meanwhile, flow.yaml breaks: nothing is lost."""

import json
import os
import re
import subprocess
import sys
import time

import pytest
from component_plugins import role, write_components
from hostile_project import ask
from one_recipe import COPY

from minihost.projects import builds

WAIT = "import pathlib, time\nwhile not pathlib.Path({go!r}).exists():\n    time.sleep(0.02)\n"
FLOW = """\
# mine
plugins: [plugin]
folders: {a: x}
steps:
  - {name: one, recipe: copy, inputs: {in: rows.csv}, outputs: {out: one.csv}}  # the first
  - {name: two, recipe: copy, inputs: {in: one.csv}, outputs: {out: two.csv}}
"""
DIES = """
import os, types
from minihost.projects.editing import whole_file
def replace(part, target):
    os._exit(9) if str(target).endswith("flow.yaml") else os.replace(part, target)
whole_file.os = types.SimpleNamespace(**{**vars(os), "replace": replace})
"""


@pytest.fixture
def place(tmp_path):
    roles = {"inputRoles": [role("in")], "outputRoles": [role("out")]}
    params = [{"name": "p", "type": "STRING"}]
    code = WAIT.format(go=str(tmp_path / "go")) + COPY
    write_components(tmp_path / "plugin", {"copy": ({**roles, "params": params}, code)})
    (tmp_path / "rows.csv").write_text("a\n1\n")
    (tmp_path / "flow.yaml").write_text(FLOW)
    return tmp_path


class Server:
    """`minihost ui` as a process of its own."""

    def __init__(self, place, before=""):
        code = f"{before}from minihost.cli import main\nmain(['ui', '--project', {str(place)!r}])\n"
        self.process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        while not (found := re.search(r":(\d+)/\?token=(\S+)", line := self.process.stdout.readline())):
            assert line
        self.port, token = int(found[1]), found[2]
        self.headers = {"Authorization": f"Bearer {token}"}

    def get(self, path):
        return ask(self.port, path, **self.headers)

    def post(self, path, **facts):
        return ask(self.port, path, "POST", json.dumps(facts).encode(), Accept="application/json", **self.headers)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def until(found):
    limit = time.monotonic() + 60
    while not (answer := found()):
        assert time.monotonic() < limit
        time.sleep(0.02)
    return answer


def test_a_run_outlives_a_server_that_is_killed_and_a_torn_edit_leaves_the_flow(place):
    server = Server(place, DIES)
    started = json.loads(server.post("/run", targets=["one"]).body)
    until(lambda: [row for build in builds.live_builds(place) for row in build.steps if row["state"] == "running"])
    with pytest.raises(IndexError):  # no answer at all: it died while it saved
        server.post("/edit", change={"kind": "remove", "names": ["two"]})
    assert server.process.wait(timeout=20) == 9
    server.process.stdout.close()
    assert (place / "flow.yaml").read_text() == FLOW
    (place / "go").touch()
    until(lambda: not builds.live_builds(place))
    second = Server(place)
    try:
        assert "state done" in second.get("/jobs").text
        assert started["command"] == "minihost build one"
        assert "minihost build one" in second.get("/jobs").text
        assert (place / "one.csv").read_text() == "a\n1\n"
        assert second.post("/edit", change={"kind": "remove", "names": ["two"]}).status == 200
        assert (place / "flow.yaml").read_text() == FLOW[: FLOW.index("  - {name: two")]
        assert second.post("/edit", change={"kind": "undo"}).status == 200
        assert (place / "flow.yaml").read_text() == FLOW
        assert not [path.name for path in place.iterdir() if path.name.endswith(".part")]
    finally:
        second.kill()


def test_two_tabs_and_a_hand(place, client_of):
    first, second = client_of(place), client_of(place)
    base = first.get("/state").json["digest"]
    assert second.get("/state").json["digest"] == base

    def edit(client, base, step, value):
        change = {"kind": "set_step", "step": step, "params": {"p": value}}
        return client.post("/edit", json={"change": change, "base": base})

    assert edit(first, base, "one", "of the first tab").status_code == 200
    assert edit(second, base, "two", "of the second").status_code == 200
    late = edit(second, base, "one", "of the second")
    assert late.status_code == 409
    assert "+" in late.json["conflict"] and "of the first tab" in late.json["conflict"]
    flow = place / "flow.yaml"
    by_hand = flow.read_text().replace("# mine", "# mine, by hand").replace("folders: {a: x}", "folders: {a: y}")
    flow.write_text(by_hand)
    assert edit(first, base, "two", "again").status_code == 409
    assert edit(first, first.get("/state").json["digest"], "two", "again").status_code == 200
    text = flow.read_text()
    assert text == by_hand.replace("of the second", "again")
    for kept in ("# mine, by hand", "{a: y}", "# the first", "of the first tab"):
        assert kept in text
    assert first.get("/state").json["digest"] == second.get("/state").json["digest"]
    never = first.post("/edit", json={"change": {"kind": "undo"}, "base": "0" * 64})
    assert never.status_code in (200, 409)


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        (FLOW.encode() + b"  - {name: <script>alert(1)</script>\n", 8),
        (FLOW.replace("recipe: copy, inputs: {in: one", "recipe: [copy, inputs: {in: one").encode(), 6),
        (b"\xff\x00\xfe" + FLOW.encode(), 0),
        (b"steps: 5\n", 1),
        (b"a: &a [*a]\n", 0),
    ],
)
def test_a_broken_flow_is_shown_with_its_line_and_left_alone(place, client_of, broken, line):
    client = client_of(place)
    assert client.get("/").status_code == 200
    (place / "flow.yaml").write_bytes(broken)
    page = client.get("/")
    assert page.status_code == 200 and "<script>alert" not in page.text
    said = client.get("/state").json["broken"]
    assert said and (not line or f"line {line}" in " ".join(said) or "steps" in " ".join(said))
    changes = [{"kind": "remove", "names": ["two"]}, {"kind": "add_folder", "name": "b", "options": {"path": "y"}}]
    for change in changes:
        refused = client.post("/edit", json={"change": change}, headers={"Accept": "application/json"})
        assert refused.status_code == 422 and "was not changed" in refused.json["mistakes"][-1]
    upload = client.post("/upload/begin").json["id"]
    assert client.put(f"/upload?id={upload}&path=a.jpg", data=b"x").status_code == 204
    for _again in range(2):  # what was dropped is still there when the file is mended
        assert client.post("/upload/end", json={"id": upload, "name": "dropped"}).status_code == 422
    assert not (place / "dropped").exists()
    assert client.post("/run", json={"targets": ["one"]}, headers={"Accept": "application/json"}).status_code == 422
    assert (place / "flow.yaml").read_bytes() == broken
    (place / "flow.yaml").write_text(FLOW)
    assert client.post("/upload/end", json={"id": upload, "name": "dropped"}).status_code == 200
    assert (place / "dropped" / "a.jpg").read_bytes() == b"x"


@pytest.mark.parametrize("kind", ["pipe", "folder", "link to nothing", "loop", "device"])
def test_a_flow_that_is_no_file_is_said_and_nobody_waits(place, client_of, kind):
    flow = place / "flow.yaml"
    flow.unlink()
    if kind == "pipe":
        os.mkfifo(flow)
    elif kind == "folder":
        flow.mkdir()
    else:
        flow.symlink_to({"loop": "flow.yaml", "device": "/dev/zero"}.get(kind, "nothing"))
    client = client_of(place)
    assert client.get("/").status_code == 200
    assert client.get("/state").json["broken"]
    refused = client.post("/edit", json={"change": {"kind": "add_folder", "name": "b", "options": {"path": "y"}}})
    assert refused.status_code == 422
    assert os.path.lexists(flow) and not (place / "nothing").exists()


def test_what_lies_in_the_hosts_own_folder_may_be_anything(place, client_of):
    """A project that comes from somebody else brings its `.minihost` with it."""
    own, name = place / ".minihost", "20200101-000000-abcdef"
    values = ["[" * 100_000, "{", '{"since": NaN, "ended": 1e999, "steps": [{"since": -1e30, "step": "<i>"}, 5]}']
    values += [json.dumps({"since": 10**400, "ended": 10**400, "about": {"steps": 5, "component": "<i>"}, "steps": 5})]
    values += ['{"status": "done", "ended": 1e300, "command": {"a": 1}, "kind": "macro", "result": {"type": "URL"}}']
    for number, text in enumerate(values):
        for store in ("builds", "webapps", "jobs"):
            folder = own / store / f"{name[:-1]}{number}"
            folder.mkdir(parents=True)
            for file in ("command.json", "build.json", "job.json", "result.json", "outcome.json", "events.jsonl"):
                (folder / file).write_text(text)
    pipes = own / "builds" / f"{name[:-1]}f"
    for folder in (pipes, own / "webapps" / pipes.name, own / "jobs" / pipes.name):
        folder.mkdir()
        for file in ("command.json", "build.json", "job.json", "outcome.json", "output", "log", "events.jsonl"):
            os.mkfifo(folder / file)
    (own / "uploads").mkdir()
    (own / "uploads" / ("0" * 16)).symlink_to("nothing")
    (own / "state.json").write_text("[" * 100_000)
    client = client_of(place)
    for page in ("/", "/jobs", "/jobs/list", "/webapps", "/webapps/list", "/state", f"/job?id={pipes.name}"):
        assert (page, client.get(page).status_code) == (page, 200)
        assert "<i>" not in client.get(page).text
    for number in range(len(values)):
        for page in ("/job", "/job/log", "/job/result"):
            assert client.get(f"{page}?id={name[:-1]}{number}").status_code == 200
    assert client.post("/upload/begin").status_code == 200
    json.loads(client.get("/state").data, parse_constant=pytest.fail)


def test_a_folder_that_is_deleted_under_the_server(place, client_of):
    import shutil

    client = client_of(place)
    assert client.get("/").status_code == 200
    shutil.rmtree(place)
    for page in ("/", "/state", "/jobs", "/nothing", "/folder?ref=a"):
        answer = client.get(page)
        assert answer.status_code in (200, 404, 422)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert client.post("/edit", json={"change": {"kind": "undo"}}).status_code == 422
    assert client.post("/run", json={"targets": []}).status_code == 422
    assert client.post("/upload/begin").status_code == 422
    assert not place.exists()


def test_stop_kills_nobody_else(place, client_of, monkeypatch):
    from minihost.runs import detached, live_folders

    folder, descriptor = live_folders.begun(live_folders.own_folder(place) / detached.BUILDS)
    monkeypatch.setattr(detached.os, "kill", lambda *_: pytest.fail("killed"))
    monkeypatch.setattr(detached.os, "killpg", lambda *_: pytest.fail("killed"))
    try:
        for process in (0, 1, -1, "x"):
            (folder / detached.PROCESS).write_text(f"{process}\n{os.uname().nodename}\n")
            assert client_of(place).post("/stop", json={"id": folder.name}).status_code == 422
    finally:
        os.close(descriptor)
