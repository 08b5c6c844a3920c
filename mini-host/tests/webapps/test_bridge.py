"""What pages expect of DSS, in a real browser: the backend's address, calls, messages, and the frame of charts."""

import json
import re

import pytest
from component_plugins import put, write_components
from served_webapps import CHROMIUM, Served, browse

pytestmark = [pytest.mark.network, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")]

BACKEND = """
from flask import jsonify, request
import json

@app.route("/echo", methods=["GET", "POST"])
def echo():
    return jsonify({"args": dict(request.args), "body": request.get_json(silent=True), "kind": request.content_type})

@app.route("/fails")
def fails():
    return "no such thing today", 500

@app.route("/text")
def text():
    return "not JSON"
"""
PAGE = """
const seen = {};
const raised = async (act) => { try { await act(); return null; } catch (error) { return error.message; } };
(async () => {
  seen.address = location.search;
  seen.config = dataiku.getWebAppConfig();
  seen.desc = dataiku.getWebAppDesc().meta.label;
  seen.urls = [getWebAppBackendUrl('/a'), dataiku.getWebAppBackendUrl('a'), dataiku.webappBackend.getUrl('//a')];
  seen.got = await dataiku.webappBackend.get('echo', { a: '1 &' });
  seen.posted = await dataiku.webappBackend.post('/echo', { b: [2] });
  seen.quiet = await raised(() => dataiku.webappBackend.get('fails', {}, false));
  seen.silent = document.getElementById('minihost-message') === null;
  seen.loud = await raised(() => dataiku.webappBackend.get('fails'));
  seen.message = document.getElementById('minihost-message').textContent;
  dataiku.webappMessages.clear();
  seen.cleared = document.getElementById('minihost-message') === null;
  seen.text = await raised(() => dataiku.webappBackend.get('text', {}, false));
  seen.parameters = await raised(() => checkWebAppParameters({}, dataiku.getWebAppDesc()));
  seen.well = await raised(() => dataiku.checkWebAppParameters());
  seen.outside = await raised(() => dataiku.fetch('rows'));
  seen.style = getComputedStyle(document.body).color;
  document.getElementById('seen').textContent = JSON.stringify(seen);
})();
"""
CHART = """
let first = dataiku.getWebAppConfig()['webAppConfig'];
window.parent.postMessage("sendConfig", "*");
window.addEventListener('message', (event) => {
  if (event.data) {
    const data = JSON.parse(event.data);
    top.document.title = JSON.stringify([first, data.webAppConfig, data.filters, window.parent !== window]);
  }
});
"""


@pytest.fixture
def serve(tmp_path):
    """Return what serves a web app of these files and descriptor to a browser, and gives the page back."""

    def show(script, **descriptor):
        root = write_components(tmp_path / "plugin", files={"resource/words.js": "window.words = 'here';"})
        folder = root / "webapps" / "show"
        descriptor = {"meta": {"label": "Show"}, "baseType": "STANDARD", "hasBackend": "true", **descriptor}
        put(folder / "webapp.json", json.dumps(descriptor))
        put(folder / "backend.py", BACKEND)
        put(folder / "body.html", '<pre id="seen"></pre><script src="/plugins/sample/resource/words.js"></script>')
        put(folder / "style.css", "body { color: rgb(1, 2, 3); }")
        put(folder / "app.js", script)
        served = Served("show", "--plugin", root, "-q", cwd=tmp_path)
        try:
            return browse(served)
        finally:
            served.stop()

    return show


def test_what_pages_call(serve):
    params = [{"name": "n", "type": "INT", "mandatory": True, "label": "Number", "defaultValue": 3}]
    page = serve(PAGE, params=params)
    seen = json.loads(re.search(r'<pre id="seen">(.*?)</pre>', page, re.DOTALL)[1].replace("&amp;", "&"))
    assert seen["address"] == ""
    assert (seen["config"], seen["desc"]) == ({"n": 3}, "Show")
    assert seen["urls"] == ["/backend/a"] * 3
    assert seen["got"]["args"] == {"a": "1 &"}
    assert (seen["posted"]["body"], seen["posted"]["kind"]) == ({"b": [2]}, "application/json")
    assert "no such thing today" in seen["quiet"]
    assert seen["silent"] and seen["cleared"]
    assert "HTTP 500" in seen["loud"]
    assert seen["message"] == seen["loud"]
    assert seen["text"] == "The backend's answer is not JSON: not JSON"
    assert (seen["parameters"], seen["well"]) == ("Parameters without a value: Number.", None)
    assert "not available outside DSS" in seen["outside"]
    assert seen["style"] == "rgb(1, 2, 3)"


def test_a_chart_asks_the_page_around_it_for_its_configuration(serve):
    page = serve(CHART, chart={"leftBarParams": [{"name": "size", "type": "INT", "defaultValue": 5}]})
    title = json.loads(re.search(r"<title>(.*?)</title>", page)[1].replace("&quot;", '"'))
    assert title == [{"size": 5}, {"size": 5}, [], True]
