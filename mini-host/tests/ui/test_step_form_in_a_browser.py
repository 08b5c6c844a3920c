"""The form of a step in Chromium: conditions and mistakes as one types, rows, choices, a step that is saved."""

import pytest
from form_plugin import write_project

from minihost.projects import flow


@pytest.fixture
def page(tmp_path, browsing):
    write_project(tmp_path, {"rows": [{"a.b[0]": "x"}, {"a.b[0]": "y", "size": 3}], "kinds": ["own", "plain"]})
    with browsing(tmp_path, "/step?name=every", 390) as opened:
        yield opened


def test_a_form_is_filled_in_and_saved(page, tmp_path):
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.wait_for_selector('[data-name="layer"] option:has-text("Seven of in")', state="attached")
    assert page.inner_text(".said") == ""  # nothing was changed by drawing it
    page.fill('[data-name="count"] input', "99")
    page.wait_for_selector('[data-name="count"] .mistake')
    assert page.get_attribute('[data-name="count"] input', "aria-invalid") == "true"
    page.select_option('[data-name="mode"] select', label="Own")
    page.wait_for_selector('[data-name="own"][hidden] ~ [data-name="own"]:not([hidden])')
    page.wait_for_selector('[data-name="layer"] .problem:has-text("no layers there")')
    page.click('button:text-is("Save")')
    page.click('.summary a:has-text("is 99")')
    assert page.evaluate("document.activeElement.closest('.field').dataset.name") == "count"
    page.keyboard.press("Control+a")
    page.keyboard.type("7")
    rows = page.locator('[data-name="rows"] > .control > .items > .row')
    page.click('[data-name="rows"] > .control > .add')
    page.keyboard.type("new")  # the first field of the new row has the focus
    rows.nth(2).locator('[data-name="inner"] .add').click()
    page.keyboard.type("4")
    rows.nth(0).locator(".remove").first.click()
    page.select_option('[data-name="column"] select', label="Type another …")
    page.keyboard.type("later")
    page.select_option('[data-name="column"] select', label="size (bigint)")
    page.wait_for_selector(".summary", state="hidden")
    page.click('button:text-is("Save")')
    page.wait_for_selector('#notices :text("minihost set every")')  # the page stays, its form is drawn anew
    page.wait_for_selector("form[data-alive]:not(:has(.summary li))")
    assert page.evaluate("document.activeElement.tagName") == "H1"
    assert flow.read(tmp_path / "flow.yaml").steps[0].params == {
        "rows": [{"a.b[0]": "y", "size": 3}, {"a.b[0]": "new", "inner": [{"x": 4}]}],
        "kinds": ["own", "plain"],
        "count": 7,
        "mode": "own",
        "column": "size",
    }
