"""Where nodes and edges of a flow are put: to the right, apart, and where they were before."""

import random

import pytest

from minihost.ui.graph.layout import HALF, LABEL, PITCH, layout


def flow(steps, window=12):
    """The nodes, edges and steps of a flow, as flow.yaml would order them."""
    chance, nodes, edges, data = random.Random(steps), ["a", "b"], [], ["a", "b"]
    for number in range(steps):
        step = f"step {number}"
        nodes.append(step)
        edges += [(one, step) for one in chance.sample(data[-window:], min(len(data), chance.choice([1, 1, 2, 3])))]
        made = [f"data {number}.{place}" for place in range(chance.choice([1, 1, 2]))]
        edges += [(step, one) for one in made]
        nodes += made
        data += made
    return nodes, edges, {node for node in nodes if node.startswith("step")}


def hub():
    steps = [f"step {number}" for number in range(40)]
    ends = [f"end {number}" for number in range(40)]
    edges = [*(("hub", step) for step in steps), *zip(steps, ends, strict=True)]
    return ["hub", *steps, *ends], edges, set(steps)


def apart(*parts):
    nodes = [f"{number}:{node}" for number, part in enumerate(parts) for node in part[0]]
    edges = [(f"{number}:{a}", f"{number}:{b}") for number, part in enumerate(parts) for a, b in part[1]]
    return [*nodes, "alone", "alone too"], edges, {f"{n}:{step}" for n, part in enumerate(parts) for step in part[2]}


FLOWS = {
    "one": (["a"], [], set()),
    "chain": (["a", "s", "b"], [("a", "s"), ("s", "b")], {"s"}),
    "50 steps": flow(50),
    "200 steps, wide": flow(200, 100),
    "hub": hub(),
    "disconnected": apart(flow(5), flow(3), hub(), flow(9)),
}


@pytest.mark.parametrize("given", FLOWS.values(), ids=FLOWS)
def test_edges_go_right_and_nothing_lies_over_another(given):
    nodes, edges, steps = given
    found = layout(nodes, edges, steps)
    assert found.places.keys() == set(nodes)
    assert all(found.places[a][0] < found.places[b][0] for a, b in edges)
    assert not any(route.is_bow for route in found.routes.values())
    boxes = [(x, y) for x, y in found.places.values()]
    assert all(HALF <= x <= found.width - HALF and HALF <= y <= found.height - HALF - LABEL for x, y in boxes)
    columns = {}
    for x, y in boxes:
        columns.setdefault(x, []).append(y)
    for heights in columns.values():
        above = sorted(heights)
        assert all(b - a >= 2 * HALF + LABEL for a, b in zip(above, above[1:], strict=False))
    for (a, b), route in found.routes.items():
        assert route.points[0] == (found.places[a][0] + HALF, found.places[a][1])
        assert route.points[-1] == (found.places[b][0] - HALF, found.places[b][1])
        for x, y in route.points[1:-1]:  # on its way it crosses no shape and no name
            middle = x - HALF if (x - HALF) in columns else x + HALF
            assert not any(height - HALF < y < height + HALF + LABEL for height in columns.get(middle, ()))
    assert layout(nodes, edges, steps) == found


@pytest.mark.parametrize("at", ["first", "middle", "last"])
def test_a_step_more_leaves_the_others_where_they_are_to_each_other(at):
    nodes, edges, steps = flow(60)
    before = layout(nodes, edges, steps).places
    place = {"first": 2, "middle": len(nodes) // 2, "last": len(nodes)}[at]
    source = next(node for node in reversed(nodes[:place]) if node not in steps)
    more = [*nodes[:place], "new", "made", *nodes[place:]]
    after = layout(more, [*edges, (source, "new"), ("new", "made")], {*steps, "new"}).places
    pairs = [(a, b) for a in nodes for b in nodes if before[a][0] == before[b][0] and before[a][1] < before[b][1]]
    assert sum(after[a][1] > after[b][1] for a, b in pairs) <= len(pairs) / 10


def test_circles_end_and_are_drawn_over_the_shapes():
    nodes = ["model", "retrain", "a", "s", "b", "t"]
    circle = [("a", "s"), ("s", "b"), ("b", "t"), ("t", "a")]
    found = layout(nodes, [("model", "retrain"), ("retrain", "model"), *circle], {"retrain", "s", "t"})
    assert found.places["retrain"][0] < found.places["model"][0]  # what it leaves, others read
    assert [edge for edge, route in found.routes.items() if route.is_bow] == [("model", "retrain"), ("t", "a")]
    assert layout(["a"], [("a", "a")], set()).routes["a", "a"].is_bow


def test_caches_move_nothing():
    nodes, edges, steps = flow(20)
    before = layout(nodes, edges, steps).places
    users = sorted(steps)[:6]
    found = layout([*nodes, "cache"], edges, steps, loose=[(step, "cache") for step in users])
    assert all(found.places[node][0] == x for node, (x, _y) in before.items())
    assert found.places["cache"][0] == found.places[users[0]][0] + PITCH


def test_what_waits_to_be_read_stands_before_its_first_reader():
    nodes = ["a", "s", "b", "download", "model", "t", "c"]
    edges = [("a", "s"), ("s", "b"), ("b", "t"), ("download", "model"), ("model", "t"), ("t", "c")]
    places = layout(nodes, edges, {"s", "download", "t"}).places
    assert places["model"][0] == places["b"][0] == places["t"][0] - PITCH
    assert places["download"][0] == places["s"][0]
