"""Reports in frames, from the side of those who would like to reach more: a report's script, another site, a guesser."""

import pytest
from werkzeug.test import Client

from minihost.folders.local import LocalFolder
from minihost.ui.app import make_app
from minihost.ui.workspace import Workspace
from minihost.webapps.guard import Guard

PAGE = b"<!doctype html><link rel=stylesheet href=style.css><script src=more/script.js></script><img src=a.png>"
HERE = {"Host": "127.0.0.1:4000"}
OPAQUE = {**HERE, "Origin": "null", "Sec-Fetch-Site": "cross-site"}
"""What a browser sends for what a frame without an origin asks for: no cookie either."""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "report" / "more").mkdir(parents=True)
    (tmp_path / "report" / "index.html").write_bytes(PAGE)
    (tmp_path / "report" / "style.css").write_text("p { color: red }")
    (tmp_path / "report" / "more" / "script.js").write_text("1")
    (tmp_path / "report" / "page.exe").write_text("no")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "index.html").write_text("secret of another folder")
    (tmp_path / "report" / "out.html").symlink_to("../other/index.html")
    (tmp_path / "flow.yaml").write_text("folders: {report: report, other: other}\n")
    return tmp_path


@pytest.fixture
def served(project):
    """The guarded application and the address of the report's frame."""
    app = make_app(Workspace(project))
    frames = app.extensions["frames"]
    client = Client(Guard(app, 4000, "the-token", frames))
    return client, frames.address("report", LocalFolder(project / "report"), "/index.html")


def test_a_frame_gets_its_page_and_what_belongs_to_it(served):
    client, address = served
    root = address.removesuffix("index.html")
    page = client.get(address, headers={**HERE, "Sec-Fetch-Dest": "iframe"})
    assert (page.status_code, page.data, page.headers["Content-Type"]) == (200, PAGE, "text/html; charset=utf-8")
    for name, kind in {"style.css": "text/css", "more/script.js": "text/javascript"}.items():
        found = client.get(root + name, headers=OPAQUE)
        assert found.status_code == 200 and found.headers["Content-Type"].startswith(kind)
        assert found.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert client.get(root, headers=OPAQUE).data == PAGE
    assert client.head(address, headers=OPAQUE).headers["Content-Length"] == str(len(PAGE))
    part = client.get(root + "style.css", headers={**OPAQUE, "Range": "bytes=4-8"})
    assert (part.status_code, part.data) == (206, b"color")


def test_its_policy_leaves_it_nothing_but_its_own_files(served):
    client, address = served
    policy = client.get(address, headers=HERE).headers["Content-Security-Policy"]
    root = "http://127.0.0.1:4000" + address.removesuffix("index.html")
    found = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert found["sandbox"] == "allow-scripts"
    assert found["default-src"] == found["connect-src"] == found["form-action"] == found["base-uri"] == "'none'"
    assert found["script-src"] == f"{root} 'unsafe-inline'" and found["img-src"] == f"{root} data: blob:"


@pytest.mark.parametrize(
    "path",
    ["/", "/state?seen=", "/folder?ref=other", "/picture?ref=other&path=/a.png", "/file?ref=other&path=/index.html"],
)
@pytest.mark.parametrize(
    "headers", [OPAQUE, {**HERE, "Origin": "null"}, HERE, {**OPAQUE, "Cookie": "minihost-4000=wrong"}]
)
def test_it_reaches_no_page_of_ours(served, path, headers):
    assert served[0].get(path, headers=headers).status_code == 403


def test_the_token_does_not_help_from_an_origin_of_its_own(served):
    assert served[0].get("/state?token=the-token", headers=OPAQUE).status_code == 403
    assert served[0].post("/edit", json={}, headers={**OPAQUE, "Cookie": "minihost-4000=the-token"}).status_code == 403


@pytest.mark.parametrize(
    "more",
    [
        "../state",
        "..%2f..%2fstate",
        "%2e%2e/%2e%2e/state",
        "../../other/index.html",
        "/../flow.yaml",
        "out.html",
        "page.exe",
        "nothing.html",
        "more",
        "index.html/",
        "%00.html",
        "..;/flow.html",
        "\\..\\flow.html",
    ],
)
def test_it_reaches_nothing_beside_its_folder(served, more):
    client, address = served
    found = client.get(address.removesuffix("index.html") + more, headers=OPAQUE)
    assert found.status_code in (403, 404) and b"secret" not in found.data


@pytest.mark.parametrize(
    "path", ["/frame/", "/frame/x/index.html", "/frame//index.html", "/frame/../state", "/frame/%2e%2e/state", "/frame"]
)
def test_a_secret_cannot_be_done_without(served, path):
    assert served[0].get(path, headers=OPAQUE).status_code in (403, 404)


@pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_it_is_only_read(served, verb):
    assert served[0].open(served[1], method=verb, headers=OPAQUE).status_code == 405


def test_other_names_of_this_machine_and_whole_windows_are_refused(served):
    client, address = served
    assert client.get(address, headers={**OPAQUE, "Host": "evil.example:4000"}).status_code == 403
    assert client.get(address, headers={**HERE, "Sec-Fetch-Dest": "document"}).status_code == 403


def test_one_folder_has_one_secret_and_another_another(project, served):
    client, address = served
    frames = client.application.frames
    assert frames.address("report", LocalFolder(project / "report"), "/index.html") == address
    other = frames.address("other", LocalFolder(project / "other"), "/index.html")
    assert len(address.split("/")[2]) > 40 and other.split("/")[2] != address.split("/")[2]
    for number in range(300):
        frames.address(f"folder {number}", LocalFolder(project), "/x.html")
    assert client.get(address, headers=OPAQUE).status_code == 403


def test_web_apps_have_no_frames(project):
    client = Client(Guard(make_app(Workspace(project)), 4000, "the-token"))
    assert client.get("/frame/x/index.html", headers=OPAQUE).status_code == 403
