"""The page of augmentation examples, for people to check that the copies still show the same thing."""

from __future__ import annotations

import base64
import html
import io

import numpy as np
from PIL import Image

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.training.augmentation import AugmentationPlan, augment
from vision_recipes.training_settings import RetrainSettings

SIDE = 192
"""The longer side of a picture on the page, in pixels."""

_EXAMPLES = 6

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Augmentation examples</title>
<style>
body {{ font: 15px/1.4 system-ui, sans-serif; margin: 2em; color: #222; background: #fff }}
figure {{ margin: 0 0 1.5em }}
figcaption {{ margin-bottom: .3em; overflow-wrap: anywhere }}
img {{ margin: 0 .4em .4em 0; vertical-align: top; max-width: 100% }}
img:first-of-type {{ outline: 3px solid #2a6 }}
</style>
</head>
<body>
<h1>Augmentation examples</h1>
<p>The outlined picture is the original. The model is trained on it and on the augmented copies.</p>
<p>Operations: {plan}</p>
{figures}
</body>
</html>
"""


def examples_page(images: LabelledImages, settings: RetrainSettings) -> bytes:
    """Return a self-contained HTML page: a picture of each of the first few classes, and augmented copies of it.

    `images` must have pixels.
    """
    assert images.pixels is not None
    plan = AugmentationPlan.from_pairs(settings.model_custom_params_data_augmentation)
    figures = []
    for row in np.unique(images.targets, return_index=True)[1][:_EXAMPLES]:
        pixels, material = images.pixels[row], f"{settings.random_seed}:{images.digests[row]}"
        augmented = augment(pixels, settings.n_augmentation, plan, material)
        copies = [_image(copy, "augmented copy") for copy in augmented]
        caption = html.escape(f"{images.paths[row]}: {images.classes[images.targets[row]]}")
        figures.append(
            f"<figure><figcaption>{caption}</figcaption>{_image(pixels, 'original')}{''.join(copies)}</figure>"
        )
    return _PAGE.format(plan=html.escape(str(plan)), figures="\n".join(figures)).encode()


def _image(pixels: np.ndarray, name: str) -> str:
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE, SIDE))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=85)
    content = base64.b64encode(stream.getvalue()).decode()
    return f'<img alt="{name}" width="{image.width}" height="{image.height}" src="data:image/jpeg;base64,{content}">'
