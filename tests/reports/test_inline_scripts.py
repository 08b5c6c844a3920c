"""Data in a page is what it was before, whatever its texts hold."""

import json

from vision_recipes.reports.inline_scripts import inline_json
from vision_recipes.reports.rendering import render


def test_texts_end_no_element_and_are_not_changed_by_the_renderer(monkeypatch, tmp_path):
    monkeypatch.setattr("vision_recipes.reports.rendering.resource_folder", lambda: tmp_path)
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "page.html").write_text("<script>{{ data }}</script>")
    data = {"</script><b>": "50 % & 'more'", "ü": "\udc80"}
    page = render("page.html", {"data": inline_json(data)}).decode()
    inside = page.removeprefix("<script>").removesuffix("</script>")
    assert "<" not in inside
    assert json.loads(inside) == data
