"""What the browser gets of a web app."""

import json
import re

import pytest
from component_plugins import put, write_components

from minihost.job import Job
from minihost.webapps.page import Page


@pytest.fixture
def page(tmp_path):
    """Return a maker of pages: descriptor and configuration."""

    def make(config=None, **descriptor):
        root = write_components(tmp_path / "plugin")
        folder = root / "webapps" / "show"
        put(folder / "body.html", "<p>The body</p>")
        put(folder / "app.js", "run();")
        put(folder / "secret.txt", "secret")
        put(root / "resource" / "in" / "x.svg", "<svg/>")
        descriptor = {"meta": {"label": "Show <b>"}, "baseType": "STANDARD", **descriptor}
        job = Job("sample", str(root), "show", "webapp", str(folder / "backend.py"), "P", str(tmp_path), "",
                  config=config or {}, descriptor=descriptor)  # fmt: skip
        return Page(job, folder)

    return make


def test_it_is_put_together(page):
    text, kind = page().answer("/")
    text = text.decode()
    assert kind == "text/html"
    assert "<title>Show &lt;b&gt;</title>" in text
    assert "<p>The body</p>" in text
    assert text.index("/host/dss.js") < text.index("<p>The body</p>") < text.index('<script src="/own/app.js">')
    assert "style.css" not in text
    assert (
        page(enableJavascriptModules="true").answer("/")[0].decode().count('<script type="module" src="/own/app.js">')
        == 1
    )


def test_what_it_was_told_cannot_break_out_of_the_script(page):
    reported = {"a": "</script><script>alert(1)</script>", "b": "\u2028<!--"}
    text = page(config=reported).answer("/")[0].decode()
    (facts,) = re.findall(r"window\.minihostWebApp = (.*);</script>", text)
    assert json.loads(facts)["config"] == reported
    assert "alert(1)</script>" not in text
    assert "\u2028" not in text


def test_commands_to_go_on_with_are_handed_to_the_page(page):
    made = page()
    made.job.payload["next"] = ["minihost run train -i pictures='a b'"]
    (facts,) = re.findall(r"window\.minihostWebApp = (.*);</script>", made.answer("/")[0].decode())
    assert json.loads(facts)["next"] == ["minihost run train -i pictures='a b'"]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/own/app.js", b"run();"),
        ("/plugins/sample/resource/in/x.svg", b"<svg/>"),
        ("/own/secret.txt", None),
        ("/own/backend.py", None),
        ("/own/../secret.txt", None),
        ("/host/guard.py", None),
        ("/host/../guard.py", None),
        ("/plugins/sample/resource/../plugin.json", None),
        ("/plugins/sample/resource//etc/passwd", None),
        ("/plugins/sample/resource/in", None),
        ("/plugins/sample/resource/out/plugin.json", None),
        ("/plugins/sample/resource/a\0b", None),
        ("/plugins/sample/resource-of-another/x", None),
        ("/plugins/other/resource/in/x.svg", None),
        ("/plugins/sample/plugin.json", None),
        ("/libraries/jquery/jquery.js", None),
    ],
)
def test_files_come_from_their_places_alone(page, tmp_path, path, content):
    made = page()
    (tmp_path / "plugin" / "resource" / "out").symlink_to(tmp_path / "plugin")
    put(tmp_path / "plugin" / "resource-of-another" / "x", "")
    found = made.answer(path)
    assert found is None if content is None else found[0] == content


def test_the_bridge_is_served(page):
    assert b"getWebAppBackendUrl" in page().answer("/host/dss.js")[0]


def test_custom_charts_live_in_a_frame_that_answers_them(page):
    made = page(config={"column": "a"}, chart={"datasetParamName": "d"})
    outer = made.answer("/")[0].decode()
    assert '<iframe src="/app"' in outer
    assert "sendConfig" in outer
    assert '"webAppConfig": {"column": "a"}' in outer
    assert "<p>The body</p>" in made.answer("/app")[0].decode()


def test_libraries_that_are_not_here_are_named(page, monkeypatch, tmp_path):
    from minihost.webapps import page as module

    put(tmp_path / "jquery" / "jquery.min.js", "$")
    monkeypatch.setattr(module, "_xstatic", lambda package: tmp_path / package)
    made = page(standardWebAppLibraries=["jquery", "d3", "dataiku", "unheard"])
    assert made.missing() == ["d3", "unheard"]
    assert made.answer("/libraries/jquery/jquery.js")[0] == b"$"
    assert '<script src="/libraries/jquery/jquery.js">' in made.answer("/")[0].decode()
    assert page(standardWebAppLibraries=None).missing() == []
