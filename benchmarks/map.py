"""The map against scikit-learn's t-SNE: neighbours that are preserved, seconds; the page: bytes, frames a second.

    python -m benchmarks.map FOLDER [--chromium /usr/bin/chromium] [--report benchmarks/map.md]

The pictures of FOLDER go through the default network. Preserved is the part of each picture's 15 nearest neighbours,
by its features, that are among its 15 nearest on the plane: by cosine similarity, and by Euclidean distance.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from vision_recipes.default_model import open_default
from vision_recipes.map_pictures import MapInputs, map_pictures
from vision_recipes.map_settings import MapSettings
from vision_recipes.picture_map.layout import lay_out
from vision_recipes.picture_map.sources import read_source
from vision_recipes.stores import LocalStore

NEIGHBOURS = 15
PAGE = """# The map

{count:,} pictures, {width:,} features each. Written by `python -m benchmarks.map`.

| | {names} |
|---|---|---|
| 15 neighbours preserved, by cosine similarity | {cosine} |
| 15 neighbours preserved, by Euclidean distance | {euclidean} |
| seconds | {seconds} |

The same seed, twice: {same} bytes. The page has {megabytes:.1f} MB. {frames}
"""


def main() -> None:
    """Measure, print the page and write it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.map", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--chromium", default="")
    parser.add_argument("--report", type=Path)
    parser.add_argument("--cache", type=Path, help="a folder that keeps the features")
    given = parser.parse_args()
    pictures = LocalStore(given.folder)
    inputs = MapInputs(pictures=pictures, cache=LocalStore(given.cache) if given.cache else None)
    with tempfile.TemporaryDirectory(prefix="vision-map-") as work:
        vectors = np.array(read_source(inputs, lambda _: open_default(), MapSettings(), Path(work)).vectors)
        report = LocalStore(work)
        layouts, seconds = _layouts(vectors)
        map_pictures(inputs, MapSettings(), _Nowhere(), report)
        page = Path(work) / "index.html"
        frames = frames_per_second(page, given.chromium) if given.chromium else ""
        unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        text = PAGE.format(
            count=len(vectors),
            width=vectors.shape[1],
            names=" | ".join(layouts),
            cosine=_row(layouts, unit),
            euclidean=_row(layouts, vectors),
            seconds=" | ".join(f"{one:.0f}" for one in seconds),
            same="the same"
            if _digest(lay_out(vectors, 30, 1337).positions) == _digest(layouts["vision-map"])
            else "OTHER",
            megabytes=page.stat().st_size / 1e6,
            frames=frames,
        )
    print(text)
    if given.report:
        given.report.write_text(text, encoding="utf-8")


def _layouts(vectors: np.ndarray) -> tuple[dict[str, np.ndarray], list[float]]:
    from sklearn.manifold import TSNE

    started = time.perf_counter()
    own = lay_out(vectors, 30, 1337).positions
    between = time.perf_counter()
    other = np.asarray(TSNE(random_state=1337, init="pca").fit_transform(vectors))
    return {"vision-map": own, "scikit-learn": other}, [between - started, time.perf_counter() - between]


def _row(layouts: dict[str, np.ndarray], vectors: np.ndarray) -> str:
    truth = _nearest(vectors)
    return " | ".join(f"{_preserved(truth, _nearest(plane)):.3f}" for plane in layouts.values())


def _nearest(points: np.ndarray) -> np.ndarray:
    from sklearn.neighbors import NearestNeighbors

    return np.asarray(NearestNeighbors(n_neighbors=NEIGHBOURS).fit(points).kneighbors(return_distance=False))


def _preserved(truth: np.ndarray, found: np.ndarray) -> float:
    return float(np.mean([len(set(one) & set(other)) for one, other in zip(truth, found, strict=True)]) / NEIGHBOURS)


def _digest(positions: np.ndarray) -> str:
    return hashlib.sha256(positions.tobytes()).hexdigest()


class _Nowhere:
    def write(self, columns: Any, rows: Any) -> int:
        return sum(1 for _ in rows)


DRAG = """async (wheels) => {
  const canvas = document.getElementById("canvas"), box = canvas.getBoundingClientRect();
  const place = (clientX, clientY) => ({pointerId: 1, clientX, clientY, cancelable: true, bubbles: true});
  const send = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, place(x, y)));
  canvas.setPointerCapture = () => {};
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  for (let step = 0; step < wheels; step++)
    canvas.dispatchEvent(new WheelEvent("wheel", {deltaY: -200, ...place(x, y)}));
  await new Promise((done) => setTimeout(done, 600));
  send("pointerdown", x, y);
  const times = [];
  await new Promise((done) => {
    const frame = (now) => {
      times.push(now);
      send("pointermove", x + 90 * Math.sin(times.length / 20), y + 60 * Math.sin(times.length / 15));
      times.length < 240 ? requestAnimationFrame(frame) : done();
    };
    requestAnimationFrame(frame);
  });
  send("pointerup", x, y);
  return 1000 * (times.length - 1) / (times.at(-1) - times[0]);
}"""


def frames_per_second(page: Path, chromium: str) -> str:
    """Return a sentence: frames a second while the map is dragged, seen as a whole and from near."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1280, "height": 800})
        tab.goto(page.as_uri())
        tab.wait_for_timeout(4000)
        whole = tab.evaluate(DRAG, 0)
        near = tab.evaluate(DRAG, 4)
        nearer = tab.evaluate(DRAG, 4)
        browser.close()
    return (
        f"While it is dragged in headless Chromium, without a graphics card: {whole:.0f} frames a second as a whole, "
        f"{near:.0f} and {nearer:.0f} from nearer, among thumbnails."
    )


if __name__ == "__main__":
    main()
