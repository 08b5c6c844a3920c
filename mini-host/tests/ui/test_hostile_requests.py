"""What strangers, other sites and broken clients send to `minihost ui`: refused or escaped, one answer, nothing done."""

import http.client
import json
import logging

import pytest
import yaml
from hostile_project import (
    BEARER,
    MARKUP,
    NAMES,
    SECRET,
    SVG,
    TOKEN,
    Elements,
    ask,
    hostile_project,
    send,
    serving,
    tree,
)
from werkzeug.test import Client

from minihost.ui.app import make_app
from minihost.ui.workspace import Workspace
from minihost.webapps.guard import Guard

HOST = "127.0.0.1:4000"
COOKIE = f"minihost-4000={TOKEN}"
VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "ODD")
STRANGERS = {
    "no token": {},
    "wrong token": {"Authorization": "Bearer wrong"},
    "token of another kind": {"Authorization": f"Basic {TOKEN}"},
    "wrong cookie": {"Cookie": "minihost-4000=wrong"},
    "cookie of another port": {"Cookie": f"minihost-4001={TOKEN}"},
    "rebound name": {"Host": "evil.example:4000", **BEARER},
    "name that begins alike": {"Host": "127.0.0.1:4000.evil.example", **BEARER},
    "no port": {"Host": "127.0.0.1", **BEARER},
    "all addresses": {"Host": "0.0.0.0:4000", **BEARER},
    "another site": {"Origin": "http://evil.example", "Cookie": COOKIE},
    "no origin": {"Origin": "null", "Cookie": COOKIE},
    "another port": {"Origin": "http://127.0.0.1:4001", **BEARER},
    "a link of another site": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Cookie": COOKIE},
    "a sub-domain": {"Sec-Fetch-Site": "same-site", "Cookie": COOKIE},
}
BODIES = {
    "nothing": b"",
    "half": b"{",
    "null": b"null",
    "list": b"[]",
    "number": b"1" * 5000,
    "bytes": b"\xff\xfe",
    "form": b"a=1",
    "not a number": b'{"params": NaN}',
    "too large a number": b'{"params": 1e999}',
    "deep": b"[" * 100_000,
    "deep but whole": b'{"params": ' + b'{"a":' * 500 + b"1" + b"}" * 501,
    "twice": b'{"kind": "undo", "kind": "remove"}',
    "half a character": b'{"name": "\\ud800"}',
}
ODD = (
    None,
    True,
    -1,
    10**400,
    "",
    "a\0b",
    "x" * 5000,
    "~nosuchuser/x",
    "../..",
    "/dev/zero",
    [],
    [1],
    ["x"],
    {},
    {"a": 1},
)
ODD = (*ODD, MARKUP, [{"id": 1, "path": [1, None]}], {"kind": 1}, {"kind": "<i>"}, {"": {"": []}})
KEYS = ("change", "base", "targets", "id", "into", "name", "path", "component", "params", "fields", "kind", "step")
KEYS = (*KEYS, "inputs", "outputs", "creates", "partition", "force")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return hostile_project(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def app(place):
    return make_app(Workspace(place))


@pytest.fixture(scope="module")
def port(place):
    with serving(place) as found:
        yield found


@pytest.fixture(autouse=True)
def nothing_is_broken(place, caplog):
    """No test may make the server fail, harm the flow, or write beside the project."""
    before, outside = (place / "flow.yaml").read_bytes(), tree(place.parent / "outside")
    yield
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert (place / "flow.yaml").read_bytes() == before
    assert tree(place.parent / "outside") == outside


def routes(app):
    return {rule.rule.replace("<path:filename>", "ui.css"): rule.methods for rule in app.url_map.iter_rules()}


@pytest.mark.parametrize("stranger", STRANGERS)
def test_no_route_and_no_verb_answers_a_stranger(app, stranger):
    client = Client(Guard(app, 4000, TOKEN, app.extensions["frames"]))
    for path in (*routes(app), "/nothing", "/%2e%2e/flow.yaml", "//"):
        for verb in VERBS:
            query = "id=step:x&token=" if stranger == "no token" else "token=wrong" if "wrong" in stranger else ""
            answer = client.open(
                f"{path}?{query}", method=verb, headers={"Host": HOST, **STRANGERS[stranger]}, data=b"{}"
            )
            assert (path, verb, answer.status_code) == (path, verb, 403)
            assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert "Set-Cookie" not in answer.headers
            assert TOKEN not in answer.text and "script" not in answer.text


def test_a_frame_needs_its_secret_whatever_else_is_sent(app):
    client = Client(Guard(app, 4000, TOKEN, app.extensions["frames"]))
    for path in ("/frame/", "/frame/x/index.html", "/frame/../", "/frame/%00/a.html", f"/frame/{TOKEN}/index.html"):
        for headers in (BEARER, {"Cookie": COOKIE}, {"Origin": "null"}):
            answer = client.get(path, headers={"Host": HOST, **headers})
            assert answer.status_code == 403 and SECRET not in answer.text
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_every_answer_is_protected_and_the_link_leaves_no_token(app, port, caplog):
    for path in routes(app):
        answer = ask(port, f"{path}?ref=pics&id=x", "HEAD" if path == "/static/ui.css" else "GET")
        assert answer.status < 500
        policy = answer.header("Content-Security-Policy")
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert answer.header("X-Content-Type-Options") == "nosniff"
        assert answer.header("X-Frame-Options") == "SAMEORIGIN"
        assert answer.header("Referrer-Policy") == "no-referrer"
        assert answer.header("Cache-Control") in ("no-store", "no-cache")
        assert "access-control-allow-origin" not in answer.headers
        assert not answer.header("Set-Cookie") and TOKEN not in answer.text
    first = ask(port, f"/?token={TOKEN}", Authorization=None)
    assert first.header("Set-Cookie") == f"minihost-{port}={TOKEN}; Path=/; HttpOnly; SameSite=Strict"
    assert first.status == 200 and TOKEN not in first.text
    wrong = ask(port, f"/nothing?token={TOKEN}", Authorization=None)
    assert wrong.status == 404 and TOKEN not in wrong.text
    assert ask(port, "/state", Authorization=None, Cookie=f"minihost-{port}={TOKEN}").status == 200
    assert "GET /nothing: 404" in caplog.text and TOKEN not in caplog.text


PATHS = (
    "../flow.yaml", "/../flow.yaml", "a/../../flow.yaml", "%2e%2e/flow.yaml", "..%2fflow.yaml", "..%5cflow.yaml",
    "/etc/passwd", "//etc/passwd", "up/secret.txt", "up/secret.jpg", "out.jpg", "out.txt", "out.html", "null.jpg",
    "pipe.jpg", "pipe.txt", "pipe.html", "", "%00", "a.jpg%00.txt", "a.jpg/", "a.jpg/x.txt", "%ff%fe.jpg", "x" * 300 + ".jpg",
    "file:///etc/passwd", "%7e/.ssh/id.txt", "....//flow.yaml",
)  # fmt: skip


@pytest.mark.parametrize("page", ["/picture", "/file", "/folder/text", "/report", "/folder/rows"])
def test_no_path_leads_out_of_a_folder(port, page):
    for path in PATHS:
        answer = ask(port, f"{page}?ref=pics&path={path}")
        is_own = (page, path) in (("/file", "a.jpg/"), ("/report", "pipe.html"))  # its frame is what refuses
        assert (path, answer.status) == (path, 200 if page == "/folder/rows" or is_own else 404)
        assert SECRET not in answer.text and "root:" not in answer.text and "by hand" not in answer.text


@pytest.mark.parametrize(
    "ref", ["", "..", ".minihost", "/", "%2fetc", "pics/..", "plugin", "outside", "%00", "x" * 9000, "rows.csv"]
)
def test_only_what_the_project_names_is_shown(port, ref):
    for page in (
        "/folder",
        "/folder/pictures",
        "/folder/files",
        "/folder/text",
        "/file",
        "/picture",
        "/report",
        "/dataset",
    ):
        answer = ask(port, f"{page}?ref={ref}&path=a.jpg")
        assert answer.status in (404, 414, 422)
        assert SECRET not in answer.text


def test_what_folders_hold_is_never_a_document_of_ours(port):
    for path in ("a.jpg", "pic.svg", "page.html", "x.exe", "note.txt"):
        found = ask(port, f"/file?ref=pics&path={path}")
        assert (found.status, found.body) == (200, SVG)
        assert found.header("Content-Type") == "application/octet-stream"
        assert found.header("Content-Disposition").startswith("attachment")
        shown = ask(port, f"/picture?ref=pics&path={path}")
        if path == "a.jpg":
            assert shown.header("Content-Type") == "image/jpeg"
            assert "sandbox" in shown.header("Content-Security-Policy")
        else:
            assert shown.status == 404
    text = ask(port, "/folder/text?ref=pics&path=page.html")
    assert text.status == 200 and Elements(text.text).found == []


NAMED = (
    "/panel?id={id}",
    "/step?name={name}",
    "/step?name={name}&part=form",
    "/folder?ref=f{name}",
    "/dataset?ref=d{name}",
)


@pytest.mark.parametrize("kind", NAMES)
def test_names_are_text_wherever_they_are_shown(app, port, kind):
    from urllib.parse import quote

    name = quote(NAMES[kind], safe="")
    for page in (
        *NAMED,
        "/folder/files?ref=f{name}",
        "/dataset/rows?ref=d{name}",
        "/job?id={name}",
        "/report?ref=f{name}&path={name}",
    ):
        for start in ("step:", "folder:f", "dataset:d", "dataset:o", "") if "{id}" in page else ("",):
            answer = ask(port, page.format(name=name, id=start + name))
            assert answer.status in (200, 404, 422)
            assert Elements(answer.text).found == []
            assert str(7331 * 7331) not in answer.text


@pytest.mark.parametrize(
    "page",
    [
        "/",
        "/flow/graph",
        "/flow/list",
        "/jobs",
        "/webapps",
        "/state",
        "/panel",
        "/panel?id=folder:pics",
        "/folder?ref=pics",
        "/folder/files?ref=pics",
    ],
)
def test_pages_with_all_names_hold_no_markup_of_others(port, page):
    answer = ask(port, page)
    assert answer.status == 200
    if answer.header("Content-Type").startswith("text/html"):
        assert Elements(answer.text).found == []
        assert "onerror=alert" not in answer.text.replace("&lt;img src=x onerror=alert(1)&gt;", "").replace(
            "\\u003cimg src=x onerror=alert(1)\\u003e", ""
        )
    else:
        assert json.loads(answer.body)["broken"] == []


def posts(app):
    return [
        (path, verb) for path, methods in routes(app).items() for verb in methods & {"POST", "PUT", "PATCH", "DELETE"}
    ]


@pytest.mark.parametrize("body", BODIES)
def test_bodies_that_are_no_json_object_are_refused(app, port, body):
    for path, verb in posts(app):
        if path != "/upload/begin":  # wants no body
            answer = ask(port, path, verb, BODIES[body], Accept="application/json")
            assert (path, answer.status) == (path, 422 if path == "/upload" else 400)
            assert json.loads(answer.body)["mistakes"]


def test_values_of_other_kinds_are_refused_with_a_sentence(app):
    client = app.test_client()
    for path, verb in posts(app):
        for value in ODD if path not in ("/upload/begin", "/run", "/place") else ():  # these have tests of their own
            for facts in (dict.fromkeys(KEYS, value), *({key: value} for key in (KEYS if value in ODD[:6] else ()))):
                answer = client.open(path, method=verb, json=facts, headers={"Accept": "application/json"})
                assert answer.status_code in (200, 400, 404, 422), (path, facts)
                assert answer.status_code == 200 or all(isinstance(one, str) and one for one in answer.json["mistakes"])


RUNS = (
    {"targets": None},
    {"targets": "x"},
    {"targets": [1]},
    {"targets": {}},
    {"targets": ["nothing"]},
    {"targets": ["a\0b"]},
)
CHANGES = (
    {"kind": "explode"}, {"kind": "__class__"}, {"kind": "undo", "extra": 1}, {"kind": "add_step"}, {"kind": "set_step", "step": 1},
    {"kind": "add_step", "component": "../copy"}, {"kind": "add_step", "component": "copy", "component_kind": "webapp"},
    {"kind": "add_step", "component": "copy", "name": 5}, {"kind": "add_step", "component": "copy", "name": "a\0b"},
    {"kind": "add_step", "component": "copy", "inputs": {"in": 5}}, {"kind": "add_step", "component": "copy", "inputs": ["x"]},
    {"kind": "add_step", "component": "copy", "outputs": {"out": "x" * 5000}}, {"kind": "copy_step", "step": "nothing"},
    {"kind": "add_folder", "name": 5}, {"kind": "add_folder", "name": "../x", "options": {"path": "x"}},
    {"kind": "add_folder", "name": "a\nb", "options": {}}, {"kind": "add_folder", "name": "n" * 300, "options": {}},
    {"kind": "add_folder", "name": "x", "options": {"nonsense": 1}}, {"kind": "add_dataset", "name": "x", "options": {"path": 5}},
    {"kind": "add_plugin", "path": "pics"}, {"kind": "add_plugin", "path": "../outside"}, {"kind": "add_plugin", "path": "/dev/zero"},
    {"kind": "add_plugin", "path": "a\0b"}, {"kind": "add_plugin", "path": "~nosuchuser"}, {"kind": "add_plugin", "path": ""},
    {"kind": "remove", "names": "pics"}, {"kind": "remove", "names": ["nothing"]}, {"kind": "remove", "names": []},
    {"kind": "rename", "old": "pics", "new": ""}, {"kind": "rename", "old": "pics", "new": "../y"}, {"kind": "rename", "old": "pics", "new": "gone"},
)  # fmt: skip


def test_edits_and_runs_that_mean_nothing_are_refused(port):
    for path, bodies in (("/edit", [{"change": one} for one in CHANGES]), ("/run", RUNS)):
        for body in bodies:
            answer = ask(port, path, "POST", json.dumps(body).encode(), Accept="application/json")
            assert (body, answer.status in (400, 422)) == (body, True), answer.text
            assert json.loads(answer.body)["mistakes"]


def test_queries_that_are_doubled_missing_or_odd(app, port):
    for path, methods in routes(app).items():
        if "GET" in methods and path != "/static/ui.css":
            for query in (
                "",
                "id=a&id=b&ref=a&ref=b",
                "ref=pics&after=%00&from=-1&column=-1",
                "ref=pics&after=../..&under=../..",
                "from=" + "9" * 40,
                "%",
                "&&=&=",
            ):
                assert ask(port, f"{path}?{query}").status in (200, 204, 400, 404, 422)
    assert ask(port, "/?" + "&".join(["a=1"] * 1001)).status == 400


def test_requests_that_are_no_http_get_one_plain_answer(port):
    own = f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {TOKEN}\r\n".encode()
    hidden = b"GET /state HTTP/1.1\r\n" + own + b"\r\n"
    cases = {
        b"POST /edit HTTP/1.1\r\n" + own + b"Content-Length: 2\r\nContent-Length: 9\r\n\r\n{}" + hidden: (400,),
        b"POST /edit HTTP/1.1\r\n" + own + b"Content-Length: -1\r\n\r\n" + hidden: (400,),
        b"POST /edit HTTP/1.1\r\n" + own + b"Content-Length: 99\r\n\r\n{}": (400,),
        b"POST /edit HTTP/1.1\r\n" + own + b"Content-Length: 99999999999\r\n\r\n{}": (413,),
        b"POST /edit HTTP/1.1\r\n" + own + b"Transfer-Encoding: gzip\r\n\r\n{}": (400,),
        b"POST /edit HTTP/1.1\r\n" + own + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n" + hidden: (400,),
        b"POST /edit HTTP/1.1\r\n" + own + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n": (400, 408),
        b"POST /edit HTTP/1.1\r\n" + own + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + hidden: (400,),
        b"POST /run HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 2\r\n\r\n{}" % port + hidden: (403,),
        b"GET /state HTTP/1.1\r\n" + own + b"Host: evil.example\r\n\r\n": (403, 400),
        b"GET http://evil.example/state HTTP/1.1\r\n" + own + b"\r\n": (403,),
        b"GET /state HTTP/1.0\r\n\r\n": (403,),
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n" + own + b"\r\n": (414,),
        b"GET /state HTTP/1.1\r\n" + own + b"X: y\r\n" * 200 + b"\r\n": (431,),
    }  # fmt: skip
    for raw, statuses in cases.items():
        try:
            answer = send(port, raw)
        except (IndexError, http.client.HTTPException):
            pytest.fail(f"no answer to {raw[:80]!r}")
        assert (raw[:80], answer.status in statuses) == (raw[:80], True), answer.status
        assert not answer.header("Content-Type").startswith("text/html") or Elements(answer.text).found == []
        assert TOKEN not in answer.text


@pytest.mark.parametrize(
    "path", ["../x.jpg", "/etc/x.jpg", "a/../../x", ".minihost/x", "a%00b", "", "a//b", "n" * 300, ".git/config"]
)
def test_uploads_stay_where_they_belong(place, port, path):
    upload = json.loads(ask(port, "/upload/begin", "POST", b"{}").body)["id"]
    before = {name for name in tree(place) if "/uploads/" not in name}
    assert ask(port, f"/upload?id={upload}&path={path}", "PUT", b"x").status == 422
    for odd in ("..", "%2e%2e", "0" * 16, upload + "/..", upload.upper() + "x", ""):
        assert ask(port, f"/upload?id={odd}&path=a.jpg", "PUT", b"x").status == 422
    assert ask(port, f"/upload?id={upload}&path=a.jpg", "PUT", b"x").status == 204
    for into in (str(place.parent / "outside"), "../outside", ".minihost", "..", "", 5, MARKUP):
        end = ask(port, "/upload/end", "POST", json.dumps({"id": upload, "into": into}).encode())
        assert end.status in (404, 422)
    assert {name for name in tree(place) if "/uploads/" not in name} == before


def test_places_that_are_none_are_refused(port):
    for path in (
        "",
        "nothing",
        "a\0b",
        "x" * 5000,
        "~nosuchuser/x",
        "/dev/zero",
        "pipe.csv/x",
        "/none/x",
        "flow.yaml",
        "plugin/plugin.json",
    ):
        answer = ask(port, "/place", "POST", json.dumps({"path": path}).encode())
        assert (path, answer.status) == (path, 422)
    for name in (None, 5, "", "..", "../plugin", MARKUP):
        assert ask(port, "/example", "POST", json.dumps({"name": name}).encode()).status == 422
    for name in (None, 5, "..", "../x", "20200101-000000-000000", "a\0b", MARKUP):
        assert ask(port, "/stop", "POST", json.dumps({"id": name}).encode()).status in (400, 404)


def test_the_flow_is_what_it_was(place):
    assert len(yaml.safe_load((place / "flow.yaml").read_text())["steps"]) == len(NAMES) + 2
