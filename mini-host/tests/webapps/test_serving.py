"""Web apps served by the command, and their backends in a test's own process."""

import json
import os
import socket
import subprocess
import sys

import pytest
from component_plugins import put, write_components
from served_webapps import Served

from minihost.cli import main
from minihost.errors import HostError, JobError

BACKEND = """
import dataiku, os, sys
from dataiku.customwebapp import get_webapp_config
from flask import jsonify, request
import of_the_plugin

print("the password is", get_webapp_config()["password"])

@app.route("/facts", methods=["GET", "POST"])
def facts():
    folder = dataiku.Folder(get_webapp_config()["folder"])
    return jsonify({
        "config": get_webapp_config(), "name": __name__, "cwd": os.path.basename(os.getcwd()), "args": dict(request.args),
        "body": request.get_data().decode(), "helper": of_the_plugin.WORD, "paths": folder.list_paths_in_partition(),
        "rows": dataiku.Dataset("rows").get_dataframe()["a"].tolist(), "root": request.script_root,
    })
"""


@pytest.fixture
def plugin(tmp_path):
    root = write_components(tmp_path / "plugin", files={"python-lib/of_the_plugin.py": "WORD = 'helped'"})
    descriptor = {
        "meta": {"label": "Show"},
        "baseType": "STANDARD",
        "hasBackend": "true",
        "params": [
            {"name": "folder", "type": "FOLDER", "mandatory": True},
            {"name": "password", "type": "PASSWORD", "defaultValue": "pass-word"},
            {"name": "n", "type": "INT", "defaultValue": 3},
        ],
    }
    put(root / "webapps" / "show" / "webapp.json", json.dumps(descriptor))
    put(root / "webapps" / "show" / "backend.py", BACKEND)
    put(root / "webapps" / "show" / "body.html", "<p>The body</p>")
    return root


@pytest.mark.network
def test_the_command_serves_it_until_it_is_interrupted(plugin, tmp_path):
    put(tmp_path / "data" / "a", "1")
    put(tmp_path / "rows.csv", "a\n1\n")
    put(tmp_path / "flow.yaml", "datasets: {rows: rows.csv}\n")
    served = Served("show", "--plugin", plugin, "-p", "folder=data", "-p", "n=5", cwd=tmp_path)
    try:
        assert "<p>The body</p>" in served.ask()[1]
        facts = json.loads(served.ask("backend/facts?x=1", b"sent", **{"Content-Type": "text/plain"})[1])
        assert facts["config"] == {"folder": "data", "password": "pass-word", "n": 5}
        assert (facts["name"], facts["cwd"]) == ("minihost_backend", "work")
        assert (facts["args"], facts["body"], facts["root"]) == ({"x": "1"}, "sent", "/backend")
        assert (facts["helper"], facts["paths"], facts["rows"]) == ("helped", ["/a"], [1])
        assert served.ask("backend/nothing")[0] == 404
        assert served.ask(Authorization="Bearer wrong")[0] == 403
        # What a run writes now is seen at once, as in DSS, though it is not in its place yet.
        put(tmp_path / ".minihost-stage.data" / "files" / "b", "2")
        assert json.loads(served.ask("backend/facts")[1])["paths"] == ["/a", "/b"]
    finally:
        code = served.stop()
    assert code == 130
    assert served.printed.endswith("Stopped.\n")
    assert "the password is *****" in served.printed
    kept = "".join(path.read_text() for path in (tmp_path / ".minihost" / "jobs").rglob("*") if path.is_file())
    assert served.token not in kept
    assert "pass-word" not in kept


@pytest.mark.network
def test_a_port_that_is_taken(plugin, tmp_path):
    (tmp_path / "data").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        command = [sys.executable, "-m", "minihost", "webapp", "show", "--plugin", plugin, "-p", "folder=data"]
        command += ["--port", str(port)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"Port {port} of 127.0.0.1 is taken or not allowed: choose another."


@pytest.mark.network
def test_a_backend_that_fails_ends_the_command(plugin, tmp_path):
    put(plugin / "webapps" / "show" / "backend.py", "raise ValueError('no backend today')")
    (tmp_path / "data").mkdir()
    command = [sys.executable, "-m", "minihost", "webapp", "show", "--plugin", plugin, "-p", "folder=data"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "ValueError: no backend today"


def test_what_is_wrong_is_said_before_anything_starts(plugin, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["webapp", "show", "--plugin", str(plugin), "-p", "n=x"]) == 2
    assert "'n'" in (said := capsys.readouterr().err)
    assert "'folder' is missing" in said
    put(plugin / "webapps" / "show" / "webapp.json", '{"baseType": "DASH", "hasBackend": "true"}')
    assert main(["webapp", "show", "--plugin", str(plugin)]) == 2
    assert "is a DASH web app, which the mini-host does not run" in capsys.readouterr().err
    os.unlink(plugin / "webapps" / "show" / "backend.py")
    put(plugin / "webapps" / "show" / "webapp.json", '{"baseType": "STANDARD", "hasBackend": "true"}')
    assert main(["webapp", "show", "--plugin", str(plugin)]) == 2
    assert "has no backend.py" in capsys.readouterr().err


def test_a_backend_in_the_process_of_a_test(minihost_project, plugin):
    project = minihost_project(plugin=plugin, datasets={"rows": [{"a": 7}]}, folders={"data": {"/x": b""}})
    with project.webapp("show", {"folder": "data"}) as client:
        facts = client.get("/facts").json
    assert (facts["rows"], facts["paths"], facts["helper"]) == ([7], ["/x"], "helped")
    assert "of_the_plugin" not in sys.modules
    assert "dataiku" not in sys.modules
    with pytest.raises(JobError, match="'folder' is missing"), project.webapp("show"):
        pass


def test_a_package_that_a_test_uses_itself_stays_whole(minihost_project, plugin, monkeypatch):
    put(plugin / "python-lib" / "its_package" / "__init__.py", "")
    put(plugin / "python-lib" / "its_package" / "late.py", "")
    put(plugin / "webapps" / "show" / "backend.py", "from its_package import late")
    monkeypatch.syspath_prepend(str(plugin / "python-lib"))
    import its_package

    project = minihost_project(plugin=plugin, folders={"data": {}})
    with project.webapp("show", {"folder": "data"}):
        assert its_package.late
    from its_package import late

    assert sys.modules["its_package.late"] is late
    for name in ("its_package.late", "its_package"):
        del sys.modules[name]


def test_a_backend_may_put_an_application_of_its_own_in_place(minihost_project, plugin):
    code = """
        def app(environ, start_response):
            start_response("200 OK", [])
            return [environ["PATH_INFO"].encode()]
    """
    put(plugin / "webapps" / "show" / "backend.py", code)
    project = minihost_project(plugin=plugin, folders={"data": {}})
    with project.webapp("show", {"folder": "data"}) as client:
        assert client.get("/own").text == "/own"
    put(plugin / "webapps" / "show" / "backend.py", "app = None")
    with pytest.raises(HostError, match="left no WSGI application"), project.webapp("show", {"folder": "data"}):
        pass


def test_custom_charts_take_the_parameters_of_their_bars(minihost_project, plugin):
    descriptor = {
        "baseType": "STANDARD",
        "hasBackend": "true",
        "params": [{"name": "dataset", "type": "DATASET"}],
        "chart": {
            "datasetParamName": "dataset",
            "topBarParams": [{"name": "top", "type": "COLUMN"}],
            "leftBarParams": [{"name": "left", "type": "INT", "defaultValue": 4}],
        },
    }
    code = """
        from dataiku.customwebapp import *
        import dataiku
        @app.route("/sum")
        def total():
            frame = dataiku.Dataset(get_webapp_config()["dataset"]).get_dataframe()
            return str(frame[get_webapp_config()["top"]].sum() + get_webapp_config()["left"])
    """
    put(plugin / "webapps" / "show" / "webapp.json", json.dumps(descriptor))
    put(plugin / "webapps" / "show" / "backend.py", code)
    project = minihost_project(plugin=plugin, datasets={"rows": {"a": [1, 2]}})
    with project.webapp("show", {"dataset": "rows", "top": "a"}) as client:
        assert client.get("/sum").text == "7"
    with pytest.raises(JobError, match="'left'"), project.webapp("show", {"dataset": "rows", "left": "x"}):
        pass


def test_how_it_is_shown_and_checked(plugin):
    from minihost.plugins import checking, description, discovery

    found = discovery.load(plugin)
    (webapp,) = found.components
    assert description.describe(webapp, found)["example"] == "minihost webapp show -p folder=folder"
    assert not [one for one in checking.check(found) if "body.html" in one.text]
    (plugin / "webapps" / "show" / "body.html").unlink()
    assert [one.level for one in checking.check(found) if "body.html" in one.text] == [checking.WARNING]
