"""The floors of the host: a file imports only files of its own floor or of lower ones, and never in a circle."""

import pytest
from checkout import HOST
from import_graph import cycles, graph

FLOORS = (
    {"errors", "job", "lenient_json", "lenient_reader", "locks", "plugins/__init__", "regular_files", "suggestions"}
    | {"disk_space", "interrupts", "rules", "user_folders"},
    {"hookspecs", "host"},
    {"parameters"},
    {"folders"},
    {"datasets"},
    {"plugins"},
    {"outputs"},
    {"dataiku_api", "webapps"},
    {"runs"},
    {"projects"},
    {"workers"},
    {"ui"},
    {"cli", "testing", "__main__"},
)
"""From the ground up: files at the top of the package, and rooms with all their files."""
ARROWS = graph(HOST / "minihost")


def floor(module):
    """The floor of a module: that of its file where it is listed, else that of its room."""
    inside = module.split(".")[1:]
    names = [f"{inside[0]}/__init__" if len(inside) == 1 else "", inside[0]]
    return next(number for name in names for number, floor in enumerate(FLOORS) if name in floor)


@pytest.mark.parametrize("module", sorted(ARROWS.keys() - {"minihost"}))
def test_arrows_go_down(module):
    assert [other for other in ARROWS[module] if floor(other) > floor(module)] == []


def test_no_files_import_each_other_in_a_circle():
    assert cycles(ARROWS) == []


def test_circles_are_found(tmp_path):
    package = tmp_path / "sample"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "a.py").write_text("from sample import b\n")
    (package / "b.py").write_text("def later():\n    import sample.c\n")
    (package / "c.py").write_text("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from sample.a import A\n")
    (package / "d.py").write_text("import sample.a\n")
    assert cycles(graph(package)) == [["sample.a", "sample.b", "sample.c"]]


def test_every_floor_has_its_files():
    listed = {name.removesuffix("/__init__") for floor in FLOORS for name in floor}
    assert listed == {module.split(".")[1] for module in ARROWS if module != "minihost"}
