"""The page of the flow in Chromium: keyboard, search, states in place, a redraw that keeps what people look at."""

import pytest
import yaml
from component_plugins import role, write_components

STEP = ({"inputRoles": [role("source")], "outputRoles": [role("target")]}, "")


def write(folder, count):
    steps = [
        {
            "recipe": "copy",
            "name": f"step {n}",
            "inputs": {"source": f"d{n}.csv"},
            "outputs": {"target": f"d{n + 1}.csv"},
        }
        for n in range(count)
    ]
    (folder / "d0.csv").write_text("a\n1\n")
    (folder / "flow.yaml").write_text(yaml.safe_dump({"plugins": ["plugin"], "steps": steps}))


@pytest.fixture
def page(tmp_path, browsing):
    write_components(tmp_path / "plugin", {"copy": STEP})
    write(tmp_path, 4)
    with browsing(tmp_path, "/", 1280) as opened:
        yield opened


def test_the_flow_by_keyboard_and_after_an_edit(page, tmp_path):
    page.wait_for_selector('.node.missing[data-id="step:step 0"]')  # states are written where they stand
    assert page.get_attribute('[data-id="step:step 0"]', "aria-label").startswith("recipe step 0 (copy), missing: ")
    page.focus('.node[tabindex="0"]')
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    assert page.evaluate("new URL(location).searchParams.get('id')") == "dataset:d1.csv"
    assert page.is_visible("#side") and page.locator(".edge.near").count() == 2
    page.keyboard.press("Escape")
    assert not page.is_visible("#side")
    assert page.evaluate("document.activeElement.dataset.id") == "dataset:d1.csv"
    page.keyboard.press("/")
    page.keyboard.type("d3")
    assert page.inner_text("#found") == "1 found" and page.locator(".node.match").count() == 1
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("+")
    box, before = page.locator('[data-id="dataset:d3.csv"] .shape'), page.locator("#graph svg").get_attribute("viewBox")
    old = box.bounding_box()
    write(tmp_path, 6)  # a hand edit: the page draws anew, and what is chosen stays where it was
    page.wait_for_selector('[data-id="step:step 5"]')
    new = box.bounding_box()
    assert abs(new["x"] - old["x"]) < 1 and abs(new["y"] - old["y"]) < 1 and before
    assert page.evaluate("document.activeElement.dataset.id") == "dataset:d3.csv"
    page.click('[data-view="list"]')
    page.wait_for_selector("#list tr")
    assert page.locator("#list tr[data-row]").count() == 13
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
