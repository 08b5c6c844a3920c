"""A person's way through the pages in Chromium: from an empty project to results, by mouse, on a phone, by keyboard.

Each page that is passed is looked at by axe, the checker of accessibility, in both colour schemes; nothing may be
written to the console, and no other host may be asked.
"""

import base64
import contextlib
import threading
from pathlib import Path

import pytest
import yaml
from component_plugins import role, write_components
from served_webapps import CHROMIUM

from minihost.ui.app import make_app
from minihost.ui.workspace import Workspace
from minihost.webapps.guard import Guard
from minihost.webapps.listener import Listener

TOKEN = "a-token-of-this-test"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
LIST = """
import dataiku
from dataiku.customrecipe import *
folder = dataiku.Folder(get_input_names_for_role("pictures")[0])
rows = dataiku.Dataset(get_output_names_for_role("listed")[0])
rows.write_schema([{"name": "path", "type": "string"}, {"name": "label", "type": "string"}])
print("listing with the prefix", get_recipe_config()["prefix"])
with rows.get_writer() as writer:
    for path in folder.list_paths_in_partition():
        writer.write_tuple((path, get_recipe_config()["prefix"] + path.split("/")[1]))
"""
REPORT = """
import dataiku
from dataiku.customrecipe import *
rows = list(dataiku.Dataset(get_input_names_for_role("listed")[0]).iter_rows())
page = f"<!doctype html><html lang=en><title>Report</title><h1>{len(rows)} pictures</h1>"
dataiku.Folder(get_output_names_for_role("report")[0]).upload_data("index.html", page.encode())
"""
PREFIX = {"name": "prefix", "label": "Prefix", "type": "STRING", "defaultValue": "a "}
RECIPES = {
    "list-pictures": (
        {
            "meta": {"label": "List pictures", "description": "One row for each picture"},
            "inputRoles": [role("pictures", folder=True)],
            "outputRoles": [role("listed")],
            "params": [PREFIX],
        },
        LIST,
    ),
    "report": (
        {
            "meta": {"label": "Write a report", "description": "A page about the rows"},
            "inputRoles": [role("listed")],
            "outputRoles": [role("report", folder=True)],
            "params": [],
        },
        REPORT,
    ),
}
GRAVE = """async () => (await axe.run({resultTypes: ["violations"]})).violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes[0].target} ${one.nodes[0].any[0]?.message ?? ""}`)"""
ALL_FRESH = "document.getElementById('flow-status').textContent === 'all up to date'"


class Walker:
    """A page of the browser, and what must not happen on it."""

    def __init__(self, page, url):
        axe = pytest.importorskip("axe_playwright_python")
        self.page, self.url, self.faults = page, url, []
        self.axe = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
        page.set_default_timeout(20_000)
        page.on("console", lambda said: said.type == "error" and self.faults.append(said.text))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda asked: asked.url.startswith((url, "blob:", "data:")) or self.faults.append(asked.url))
        page.goto(f"{url}?token={TOKEN}")

    def look(self, what):
        """Have axe look at the page as it is, in light and in dark."""
        self.page.evaluate(self.axe)
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            assert (what, scheme, self.page.evaluate(GRAVE)) == (what, scheme, [])
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{what} is too wide"
        assert (what, self.faults) == (what, [])

    def go(self, path):
        self.page.goto(self.url + path)

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def tab_to(self, selector):
        """Press Tab until the element has the focus."""
        for _ in range(60):
            if self.page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
                return
            self.press("Tab")
        raise AssertionError(f"Tab never comes to {selector}")


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium here")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as library:
        opened = library.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def walk(browser, tmp_path):
    """Return a function: size of the window -> a `Walker` on a project that holds nothing yet."""
    pytest.importorskip("axe_playwright_python")
    (tmp_path / "project").mkdir()
    workspace = Workspace(tmp_path / "project", (write_components(tmp_path / "plugin", RECIPES),))
    listener = Listener(0)
    app = make_app(workspace)
    listener.app = Guard(app, listener.port, TOKEN, app.extensions["frames"])
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    with contextlib.ExitStack() as stack:
        stack.callback(listener.server_close)
        stack.callback(listener.shutdown)

        def start(width, height, **more):
            # axe is put into the page as a script, which the policy of the pages forbids
            context = browser.new_context(viewport={"width": width, "height": height}, bypass_csp=True, **more)
            stack.callback(context.close)
            return Walker(context.new_page(), listener.url)

        yield start


@pytest.fixture
def photos(tmp_path):
    for path in ("egg/1.png", "egg/2.png", "not_egg/3.png"):
        place = tmp_path / "photos" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(PIXEL)
    return tmp_path / "photos"


def flow_of(tmp_path):
    return yaml.safe_load((tmp_path / "project/flow.yaml").read_text())


def made(tmp_path):
    """A flow with pictures and one step, as the first clicks make it."""
    step = {"recipe": "list-pictures", "inputs": {"pictures": "photos"}, "outputs": {"listed": "listed"}}
    facts = {"folders": {"photos": "photos"}, "datasets": {"listed": "listed.csv"}, "steps": [step]}
    place = tmp_path / "project"
    (place / "photos").symlink_to(tmp_path / "photos")
    (place / "flow.yaml").write_text(yaml.safe_dump(facts, sort_keys=False))


@pytest.mark.slow
def test_from_an_empty_project_to_a_report_by_mouse(walk, photos, tmp_path):
    walker = walk(1280, 800)
    page = walker.page
    walker.look("start")
    page.set_input_files("[data-choose]", photos)
    page.click('#panel .choice:has-text("List pictures")')  # the folder is chosen, and its recipes are there
    page.wait_for_selector("#panel .step-form")
    page.get_by_label("Prefix").fill("is ")
    walker.look("panel of a step")
    page.click('#panel button:has-text("Save"):not([name])')
    page.click('#panel .chips .choice:has-text("Write a report")')
    page.wait_for_selector('.node[data-id="step:report"]')
    box = page.locator("#graph").bounding_box()
    for node in page.locator("#graph .node .shape").all():  # the whole flow is in sight
        at = node.bounding_box()
        assert box["x"] <= at["x"] and at["x"] + at["width"] <= box["x"] + box["width"] and at["width"] <= 60
    walker.look("flow")
    page.click("#run-all")
    page.wait_for_function(ALL_FRESH)
    page.click('.node[data-id="folder:photos"]')
    page.click('#panel a:has-text("Open")')
    page.wait_for_selector('.tile:has-text("is egg") img')
    walker.look("folder")
    page.set_input_files("[data-choose]", [photos / "egg/1.png"])
    page.wait_for_function("document.querySelectorAll('.tile').length === 4")
    page.click('.bar a:has-text("Show in the flow")')
    page.wait_for_selector('.node.stale[data-id="step:list-pictures"]')
    page.click("#panel a[data-id='step:list-pictures']")
    page.wait_for_selector("#panel .step-form")
    walker.go("dataset?ref=" + flow_of(tmp_path)["steps"][0]["outputs"]["listed"])
    page.wait_for_selector('td:has-text("is not_egg")')
    walker.look("dataset")
    walker.go("?id=folder:" + flow_of(tmp_path)["steps"][1]["outputs"]["report"])
    page.click('#panel a:has-text("Open the report")')
    page.frame_locator("iframe").locator('h1:has-text("3 pictures")').wait_for()
    walker.go("jobs")
    page.wait_for_selector(".builds li")
    walker.look("jobs")
    page.click("summary >> nth=0")
    page.click('a:has-text("list-pictures") >> visible=true')
    page.wait_for_selector('#log:has-text("listing with the prefix is")')
    walker.look("job")
    walker.go("webapps")
    walker.look("web apps")
    walker.go("step?name=list-pictures")
    page.wait_for_selector(".step-form")
    walker.look("step")


@pytest.mark.slow
def test_on_a_phone(walk, photos, tmp_path):
    made(tmp_path)
    walker = walk(390, 844, color_scheme="dark", has_touch=True)
    page = walker.page
    page.wait_for_selector("#list tr[data-row] .state.missing")
    walker.look("list")
    page.tap('#list th a:has-text("photos")')
    page.wait_for_selector("#panel .choices")
    walker.look("panel of a folder")
    page.fill("#new-name", "eggs")
    page.tap('#panel button:has-text("Rename")')
    page.wait_for_selector('#list th a:has-text("eggs")')
    page.tap('#notices button:has-text("Undo")')
    page.wait_for_selector('#list th a:has-text("photos")')
    page.wait_for_selector("#side", state="hidden")  # what was chosen has another name again
    with page.expect_response("**/step/check*"):
        page.tap('#list th a:has-text("list-pictures")')
    page.tap('#panel button:has-text("Remove")')
    page.wait_for_selector('#list:not(:has(th a:has-text("list-pictures")))')
    assert "list-pictures" not in (tmp_path / "project/flow.yaml").read_text()
    page.tap("#undo")
    page.wait_for_selector('#list th a:has-text("list-pictures")')
    page.tap('[data-view="graph"]')
    page.wait_for_selector("#graph .node")
    walker.look("graph")


def test_by_keyboard_alone(walk, photos, tmp_path):
    made(tmp_path)
    walker = walk(1280, 800)
    page = walker.page
    walker.tab_to('[data-id="folder:photos"]')
    walker.press("ArrowRight", "Enter")
    page.wait_for_selector("#panel .step-form")
    assert page.evaluate("document.activeElement.textContent").startswith("List pictures")
    walker.tab_to("#panel .choice")
    walker.press("Enter")  # go on with what it makes
    page.wait_for_selector('.node[data-id="step:report"]')
    assert [step["recipe"] for step in flow_of(tmp_path)["steps"]] == ["list-pictures", "report"]
    page.wait_for_selector('#panel h2:has-text("Write a report")')
    walker.look("flow by keyboard")
    walker.press("Escape")
    assert page.evaluate("document.activeElement.dataset.id") == "step:report"
