"""The forms that a network is compiled in: all give the recipe's scores, or there is one alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from inference.tiny import write_tiny_model

from vision_recipes.inference.engine import THE_SCORES
from vision_recipes.inference.openvino_network import OpenVinoSource, recipe_batch
from vision_recipes.serving.compiled_forms import Form, choose, vectors


@pytest.fixture
def source(tmp_path: Path):
    source = OpenVinoSource(write_tiny_model(tmp_path / "model"), 1)
    yield source
    source.close()


def test_the_forms_give_the_same_scores(source: OpenVinoSource) -> None:
    alone = Form(source.compile(THE_SCORES, "float32"), source._model)
    forms = choose(source, source._model, THE_SCORES, "float32", alone)
    assert forms.together.gives_the_scores_of(alone) and forms.together.count > 1
    assert (forms.wait_seconds > 0) == (forms.together.batch > 1)
    assert forms.alone in (alone, forms.together)


def test_a_batch_that_is_asked_for_is_taken(source: OpenVinoSource) -> None:
    alone = Form(source.compile(THE_SCORES, "float32"), source._model)
    for batch in (1, 4, 8):
        forms = choose(source, source._model, THE_SCORES, "float32", alone, batch)
        assert forms.together.batch == batch
    slot = forms.together.take()
    assert slot is not None
    pictures = list(source._model.check.pictures[:3])
    assert vectors(slot, pictures, [None] * 3) == pytest.approx(source._model.check.scores[:3], abs=1e-5)


def test_forms_that_differ_leave_that_of_the_recipe_alone(
    source: OpenVinoSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = Form._check
    monkeypatch.setattr(Form, "_check", lambda form, model: check(form, model) + np.float32(1e-6 * (form.batch == 1)))
    alone = Form(source.compile(THE_SCORES, "float32"), source._model)
    forms = choose(source, source._model, THE_SCORES, "float32", alone)
    assert forms.alone is forms.together and forms.together.batch == recipe_batch(source._model)
