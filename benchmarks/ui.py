"""What `minihost ui` costs: the flow drawn by the server, its first paint and a redraw after an edit in Chromium.

python -m benchmarks.ui [--only flow|objects] [--rounds 5]
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PAINTS = """() => new Promise((done) => new PerformanceObserver((list) => done(
    list.getEntriesByName("first-contentful-paint")[0].startTime)).observe({ type: "paint", buffered: true }))"""
REDRAWN = """() => new Promise((done) => {
    const start = performance.now();
    const seen = new MutationObserver(() => {
        if (document.querySelector('[data-id="step:added"]')) {
            seen.disconnect();
            requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
        }
    });
    seen.observe(document.getElementById("graph"), { childList: true, subtree: true });
    document.dispatchEvent(new CustomEvent("flow-changed", { detail: {} }));
})"""
ROLES = {"arity": "NARY", "required": False, "acceptsDataset": True, "acceptsManagedFolder": False}


def main() -> None:
    """Measure the sections and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ui", description=__doc__)
    parser.add_argument("--only", choices=SECTIONS, help="one section alone")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (5)")
    given = parser.parse_args()
    print(f"{'what':<46} {'median':>10} {'worst':>10}")
    for name, section in SECTIONS.items():
        if given.only in (None, name):
            for what, seconds in section(given.rounds):
                print(f"{what:<46} {statistics.median(seconds) * 1000:>7.0f} ms {max(seconds) * 1000:>7.0f} ms")


def flow(rounds: int) -> Iterator[tuple[str, list[float]]]:
    """The page of the flow, of 50 and of 200 steps."""
    from minihost.ui.graph.drawing import drawing
    from minihost.ui.workspace import Workspace

    for steps in (50, 200):
        with tempfile.TemporaryDirectory(prefix="ui-bench-") as name:
            folder = Path(name)
            write_flow(folder, steps)
            workspace = Workspace(folder)
            graph = workspace.opened().graph
            size = f"{steps} steps, {len(graph.nodes)} nodes"
            yield f"{size}: read flow.yaml and plugins", timed(workspace.read, rounds)
            yield f"{size}: layout", timed(lambda graph=graph: drawing(graph, {}), rounds)  # type: ignore[misc]
            with served(workspace) as (address, client):
                yield f"{size}: /flow/graph", timed(lambda client=client: client.get("/flow/graph"), rounds)
                yield f"{size}: /flow/list", timed(lambda client=client: client.get("/flow/list"), rounds)
                yield from in_the_browser(size, folder, address, rounds)


def objects(rounds: int) -> Iterator[tuple[str, list[float]]]:
    """The pages of 100,000 pictures in one folder and in 1,000, and of 10 million rows as CSV and as Parquet."""
    from benchmarks.ui_objects import measured

    yield from measured(rounds)


def in_the_browser(size: str, folder: Path, address: str, rounds: int) -> Iterator[tuple[str, list[float]]]:
    """First paint of the page, a redraw after an edit of flow.yaml, and a frame while the picture is dragged."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as library:
        browser = library.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        paints, redraws, frames = [], [], []
        for _ in range(rounds):
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(address)
            paints.append(page.evaluate(PAINTS) / 1000)
            before = (folder / "flow.yaml").read_text(encoding="utf-8")
            page.wait_for_timeout(300)
            (folder / "flow.yaml").write_text(before + ADDED, encoding="utf-8")
            redraws.append(page.evaluate(REDRAWN) / 1000)
            frames.append(frame_while_dragged(page))
            (folder / "flow.yaml").write_text(before, encoding="utf-8")
            page.close()
        browser.close()
    yield f"{size}: first paint", paints
    yield f"{size}: redraw after an edit", redraws
    yield f"{size}: a frame while dragged", frames


def frame_while_dragged(page: Any) -> float:
    """Seconds from one frame to the next while the mouse moves the picture."""
    page.evaluate("""() => { window.frames_seen = []; const next = (at) => { window.frames_seen.push(at);
        if (window.frames_seen.length < 400) requestAnimationFrame(next); }; requestAnimationFrame(next); }""")
    page.mouse.move(500, 400)
    page.mouse.down()
    for place in range(30):
        page.mouse.move(500 - place * 8, 400 - place * 3)
    page.mouse.up()
    seen = page.evaluate("window.frames_seen")
    return statistics.mean(b - a for a, b in zip(seen, seen[1:], strict=False)) / 1000


ADDED = "- {recipe: copy, name: added, inputs: {source: d0.csv}, outputs: {target: added.csv}}\n"


def write_flow(folder: Path, count: int) -> None:
    """A flow of so many steps, each reading one to three datasets that came not long before and making one to three."""
    recipe = folder / "plugin" / "custom-recipes" / "copy"
    recipe.mkdir(parents=True)
    (folder / "plugin" / "plugin.json").write_text(json.dumps({"id": "bench", "version": "1.0.0"}))
    roles = {"inputRoles": [{"name": "source", **ROLES}], "outputRoles": [{"name": "target", **ROLES}]}
    (recipe / "recipe.json").write_text(json.dumps({"kind": "PYTHON", **roles}))
    (recipe / "recipe.py").write_text("")
    (folder / "d0.csv").write_text("a\n1\n")
    chance, data, lines = random.Random(0), ["d0.csv"], ["plugins: [plugin]", "steps:"]
    for number in range(count):
        reads = chance.sample(data[-30:], min(len(data), chance.choice([1, 1, 2, 3])))
        made = [f"d{number}_{place}.csv" for place in range(chance.choice([1, 2, 3]))]
        data += made
        both = f"inputs: {{source: [{', '.join(reads)}]}}, outputs: {{target: [{', '.join(made)}]}}"
        lines.append(f"- {{recipe: copy, name: step-{number}, {both}}}")
    (folder / "flow.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


@contextmanager
def served(workspace: Any) -> Iterator[tuple[str, Any]]:
    """The address of a workspace's pages, and a client of them without a network."""
    from werkzeug.serving import make_server

    from minihost.ui.app import make_app

    app = make_app(workspace)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", app.test_client()
    finally:
        server.shutdown()


def timed(work: Callable[[], Any], rounds: int) -> list[float]:
    """Seconds that each round took."""
    found = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return found


SECTIONS: dict[str, Callable[[int], Iterator[tuple[str, list[float]]]]] = {"flow": flow, "objects": objects}

if __name__ == "__main__":
    import logging

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    main()
