"""A page that shows what augmentation makes of pictures, for people to see whether it still is the same thing."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from vision_recipes.pictures import Picture
from vision_recipes.training.augmentation import Plan, variants

SIDE = 192
"""The longer side of a picture on the page, in pixels."""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Augmented pictures</title>
<style>
body {{ font: 15px/1.4 system-ui, sans-serif; margin: 2em; color: #222; background: #fff }}
figure {{ margin: 0 0 1.5em }}
figcaption {{ margin-bottom: .3em; overflow-wrap: anywhere }}
img {{ margin: 0 .4em .4em 0; vertical-align: top; max-width: 100% }}
img:first-of-type {{ outline: 3px solid #2a6 }}
</style>
</head>
<body>
<h1>Augmented pictures</h1>
<p>The outlined picture is the unchanged one; training sees it as well as the varied copies.</p>
<p>{plan}</p>
{figures}
</body>
</html>
"""


def examples_page(pictures: Sequence[Picture], plan: Plan, seed: int, count: int) -> bytes:
    """Return a self-contained HTML page: each picture that has pixels, unchanged and in `count` varied copies."""
    figures = "\n".join(_figure(picture, plan, seed, count) for picture in pictures if picture.pixels is not None)
    return _PAGE.format(plan=html.escape(str(plan)), figures=figures).encode()


def _figure(picture: Picture, plan: Plan, seed: int, count: int) -> str:
    assert picture.pixels is not None
    shown = [picture.pixels, *variants(picture.pixels, count, plan, f"{seed}:{picture.digest}")]
    images = "".join(
        _image(pixels, "unchanged" if place == 0 else f"copy {place}") for place, pixels in enumerate(shown)
    )
    label = "" if picture.label is None else f": {picture.label}"
    return f"<figure><figcaption>{html.escape(picture.path + label)}</figcaption>{images}</figure>"


def _image(pixels: np.ndarray, name: str) -> str:
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE, SIDE))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=85)
    content = base64.b64encode(stream.getvalue()).decode()
    return f'<img alt="{name}" width="{image.width}" height="{image.height}" src="data:image/jpeg;base64,{content}">'
