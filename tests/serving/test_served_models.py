"""Models served to several clients at once: the recipe's answers, bounds, and a good end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from images.files import encoded, picture
from inference.tiny import write_tiny_model

from vision_recipes.serving.scorer import Scorer
from vision_recipes.serving.served_models import ServedModels


def test_answers_are_those_of_the_scorer(tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "model")
    contents = [encoded(picture(20 + number, 40), "PNG") for number in range(9)] + [b"", b"hello"]
    expected = [one.row for one in Scorer(model).score(contents)]
    models = ServedModels({"a": model.store})
    served = models.get("a")
    assert models.names() == ["a"] and served.version == model.folder_hash and served.labels == model.label_keys
    assert [future.result().row for future in [served.submit(content) for content in contents]] == expected
    pixels = np.zeros((served.height, served.width, 3), np.uint8)
    assert served.submit_pixels(pixels).result().row["error"] == 0
    with pytest.raises(ValueError, match="float32"):
        served.submit_pixels(pixels.astype(np.float32))
    models.close(1.0)
