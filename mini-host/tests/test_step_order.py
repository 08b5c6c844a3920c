"""The order of the steps of a flow, and flows that have none."""

from dataclasses import replace

from minihost.projects import flow, step_order


def read(tmp_path, text):
    path = tmp_path / "flow.yaml"
    path.write_text(text, encoding="utf-8")
    return flow.read(path)


def test_a_step_waits_for_what_it_reads(tmp_path):
    text = """
steps:
  - {recipe: classify, inputs: {images: pictures}, outputs: {out: scored}}
  - {macro: fill, creates: [pictures]}
  - {recipe: sum, inputs: {rows: scored}, outputs: {out: last}}
"""
    assert [step.name for step in step_order.ordered(read(tmp_path, text))] == ["fill", "classify", "sum"]


def test_a_thing_has_one_maker(tmp_path):
    step = "  - {recipe: r, outputs: {o: x}}\n"
    (found,) = step_order.mistakes(read(tmp_path, "steps:\n" + step + step))
    assert found.text == "'x' is written by two steps, r and r-2; each thing has one maker."


def test_circles_are_named(tmp_path):
    text = """
steps:
  - {name: one, recipe: r, inputs: {i: c}, outputs: {o: a}}
  - {name: two, recipe: r, inputs: {i: a}, outputs: {o: b}}
  - {name: three, recipe: r, inputs: {i: b}, outputs: {o: c}}
  - {name: four, recipe: r, inputs: {i: c}, outputs: {o: d}}
"""
    (found,) = step_order.mistakes(read(tmp_path, text))
    assert found.text == "the steps one -> two -> three -> one wait for each other in a circle."
    assert found.steps == ("one", "two", "three")
    assert [step.name for step in step_order.ordered(read(tmp_path, text))] == ["one", "two", "three", "four"]


def test_a_step_may_change_what_it_reads(tmp_path):
    found = read(tmp_path, "steps: [{recipe: r, inputs: {i: model}, outputs: {o: model}}]")
    assert step_order.ordered(found) == list(found.steps)


def test_a_macro_waits_for_what_its_parameters_name(tmp_path):
    text = """
steps:
  - {macro: import, params: {source: raw, target: net}, creates: net}
  - {macro: fetch, creates: [raw]}
"""
    assert [step.name for step in step_order.ordered(read(tmp_path, text))] == ["fetch", "import"]


CACHED = """
steps:
  - {name: one, recipe: r, inputs: {i: a}, outputs: {o: b, kept: cache}}
  - {name: two, recipe: r, inputs: {i: b}, outputs: {o: c, kept: cache}}
"""


def cached(tmp_path, text=CACHED):
    found = read(tmp_path, text)
    return replace(found, steps=tuple(replace(step, caches=frozenset({"kept"})) for step in found.steps))


def test_several_steps_share_a_cache_and_do_not_wait_for_it(tmp_path):
    assert step_order.mistakes(read(tmp_path, CACHED)) != []
    found = cached(tmp_path)
    assert step_order.mistakes(found) == []
    assert [step.makes for step in found.steps] == [("b",), ("c",)]
    assert found.made == ("b", "cache", "c")
    reader = read(tmp_path, CACHED + "  - {name: three, recipe: r, inputs: {i: cache}, outputs: {o: d}}")
    found = replace(found, steps=(*found.steps, reader.steps[2]))
    assert step_order.needs(found, found.steps[2]) == []


def test_a_cache_is_nobodys_output(tmp_path):
    found = cached(tmp_path, CACHED + "  - {name: three, recipe: r, outputs: {o: cache}}")
    assert [one.text for one in step_order.mistakes(found)] == [
        "'cache' is a cache of one and an output of three; a cache needs its own folder.",
        "'cache' is a cache of two and an output of three; a cache needs its own folder.",
    ]
