"""How columns join the picture: the simplest way that predicts held-out rows as well, and the same in any folding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from vision_recipes.dataset.column_encoding import encode
from vision_recipes.dataset.extra_columns import learn
from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.metrics import accuracy
from vision_recipes.training import formula_choice
from vision_recipes.training.formula_choice import choose_formula
from vision_recipes.training.hidden_layer import HiddenProblem, hidden_design
from vision_recipes.training.interactions import interaction_design
from vision_recipes.training.linear_probe import fit
from vision_recipes.training_settings import RetrainSettings

SETTINGS = RetrainSettings()


@pytest.fixture(autouse=True)
def _one_thread():
    with threadpool_limits(1):
        yield


WIDTH, COUNT = 12, 240


def rows(columns, label, count=COUNT, seed=0):
    """Return pictures of four kinds with columns, half for training: `label` gives the class of a kind and cells."""
    draw = np.random.default_rng(seed)
    kinds = draw.integers(0, 4, count)
    middles = np.random.default_rng(1).normal(0, 1, (4, WIDTH))
    features = (middles[kinds] + draw.normal(0, 0.35, (count, WIDTH))).astype(np.float32)
    cells = [{name: make(draw) for name, make in columns.items()} for _ in range(count)]
    labels = [str(label(kind, **row)) for kind, row in zip(kinds.tolist(), cells, strict=True)]
    classes = sorted(set(labels))
    learned = learn(list(columns), {str(number): row for number, row in enumerate(cells)}, "table")
    images = replace(
        LabelledImages.of_features(features, np.array([classes.index(text) for text in labels]), classes),
        extra=np.stack([encode(learned, row) for row in cells]),
        columns=learned,
    )
    return images.take(np.arange(count // 2)), images.take(np.arange(count // 2, count))


def place(draw):
    return int(draw.integers(1, 4))


def flag(draw):
    return bool(draw.integers(2))


def town(draw):
    return ["Rome", "Oslo", "Ulm"][draw.integers(3)]


def price(draw):
    return float(draw.normal(100, 20))


CASES = {
    "first": ({"place": place}, lambda kind, place: (kind < 2) ^ (place == 1), "interactions"),
    "middle": ({"place": place}, lambda kind, place: (kind < 2) ^ (place == 2), "interactions"),
    "town": ({"town": town}, lambda kind, town: (kind < 2) ^ (town == "Oslo"), "interactions"),
    "flag": ({"flag": flag}, lambda kind, flag: (kind < 2) ^ flag, "interactions"),
    "price": ({"price": price}, lambda kind, price: (kind < 2) ^ (price > 110), "interactions"),
    "turned": ({"place": place}, lambda kind, place: (kind + place) % 4, "interactions"),
    "two flags": ({"one": flag, "two": flag}, lambda kind, one, two: (kind < 2) ^ one ^ two, "hidden"),
    "columns alone": ({"one": flag, "two": flag}, lambda kind, one, two: one ^ two, "hidden"),
    "one column alone": ({"place": place}, lambda kind, place: place, "additive"),
    "kind if flag": ({"flag": flag}, lambda kind, flag: kind if flag else "other", "additive"),
    "nothing": ({"place": place}, lambda kind, place: kind, "picture_only"),
    "nothing of four": (
        {"place": place, "town": town, "flag": flag, "price": price},
        lambda kind, place, town, flag, price: kind,
        "picture_only",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_formula_that_the_label_needs_is_found(case):
    columns, label, expected = CASES[case]
    train, valid = rows(columns, label)
    found = fit(train, valid, SETTINGS)
    assert found.compared["chosen"] == expected, found.compared
    assert accuracy(found.logits(valid), valid.targets) > 0.82
    again = fit(train, valid, SETTINGS)
    assert again.kernel.tobytes() == found.kernel.tobytes()


def test_metrics_name_each_formula_that_was_compared():
    train, _ = rows(*CASES["first"][:2])
    described = choose_formula(train, SETTINGS).described()
    names = ("picture_only", "additive", "interactions", "hidden")
    assert list(described) == ["chosen", *(f"accuracy_{name}" for name in names)]
    assert described["accuracy_interactions"] > described["accuracy_additive"] + 0.2


def test_columns_that_say_nothing_make_no_difference():
    train, valid = rows(*CASES["nothing"][:2])
    found = fit(train, valid, SETTINGS)
    assert len(found.kernel) == WIDTH + train.extra.shape[1]
    assert not found.kernel[WIDTH:].any()
    blank = replace(valid, extra=np.zeros_like(valid.extra))
    np.testing.assert_array_equal(found.logits(valid), found.logits(blank))


def test_one_more_picture_that_is_right_is_no_reason_for_another_formula():
    names, hits = ["picture_only", "interactions"], np.ones((2, 160))
    losses = np.full((2, 160), 0.04)
    hits[0, :2], hits[1, :1], losses[1] = 0, 0, 0.02
    assert formula_choice._simplest(names, losses, hits) == "picture_only"
    hits[0, :6] = 0
    assert formula_choice._simplest(names, losses, hits) == "interactions"
    assert formula_choice._simplest(names, losses[::-1], hits) == "picture_only", "more are right, but it is less sure"


def test_adding_columns_up_needs_less_of_a_reason():
    hits, losses = np.ones((2, 160)), np.random.default_rng(0).uniform(0.1, 0.2, (2, 160))
    hits[0, :2], losses[1] = 0, losses[0] - 0.01
    assert formula_choice._simplest(["picture_only", "additive"], losses, hits) == "additive"
    assert formula_choice._simplest(["picture_only", "hidden"], losses, hits) == "picture_only"


def test_much_surer_is_a_reason_where_as_many_are_right():
    names, hits, losses = ["picture_only", "hidden"], np.ones((2, 160)), np.full((2, 160), 0.5)
    losses[1] = 0.45
    assert formula_choice._simplest(names, losses, hits) == "picture_only"
    losses[1] = 0.2
    assert formula_choice._simplest(names, losses, hits) == "hidden"
    hits[1, 0] = 0
    assert formula_choice._simplest(names, losses, hits) == "picture_only"


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("letters", ["abcde", "ab"])
def test_a_random_column_is_not_used(seed, letters):
    images, _ = rows({"noise": lambda draw: letters[draw.integers(len(letters))]}, lambda kind, noise: kind, 320, seed)
    draw = np.random.default_rng(seed)
    blurred = images.features + draw.normal(0, 0.6, images.features.shape).astype(np.float32)
    choice = choose_formula(replace(images, features=blurred), SETTINGS)
    assert choice.formula.name == "picture_only", choice.accuracies


@pytest.mark.parametrize("seed", range(3))
def test_a_column_that_helps_a_little_is_used(seed):
    images, _ = rows({"noise": flag}, lambda kind, noise: kind, 320, seed)
    draw = np.random.default_rng(seed)
    blurred = images.features + draw.normal(0, 1.2, images.features.shape).astype(np.float32)
    hinted = np.where(draw.random(len(images)) < 0.8, images.targets, draw.integers(0, 4, len(images)))
    choice = choose_formula(replace(images, features=blurred, extra=np.eye(4, dtype=np.float32)[hinted]), SETTINGS)
    assert choice.formula.name in ("additive", "hidden"), choice.accuracies


def test_a_value_never_seen_falls_back_to_the_picture():
    columns, label, _ = CASES["town"]
    train, valid = rows({"town": town}, lambda kind, town: kind if town == "Oslo" else kind % 2)
    found = fit(train, valid, SETTINGS)
    unseen = replace(valid, extra=np.stack([encode(train.columns, {"town": "Kiel"})] * len(valid)))
    missing = replace(valid, extra=np.stack([encode(train.columns, None)] * len(valid)))
    np.testing.assert_array_equal(found.logits(unseen), found.logits(missing))
    assert np.isfinite(found.logits(unseen)).all()


def test_groups_stay_together_and_few_rows_are_not_compared():
    train, valid = rows(*CASES["first"][:2])
    few = train.take(np.arange(8))
    assert fit(few, valid, SETTINGS).compared == {"chosen": "additive"}
    assert choose_formula(replace(train, groups=np.zeros(len(train), int)), SETTINGS).accuracies == {}


@pytest.mark.parametrize(
    ("settings", "tried"),
    [
        ({"model_l1": 0.001}, {"picture_only", "additive"}),
        ({"model_l2": 0.001}, {"picture_only", "additive", "interactions"}),
        ({"model_dropout": 0.3}, {"picture_only", "additive", "interactions"}),
        ({"model_optimizer": "adam"}, {"picture_only", "additive", "interactions"}),
    ],
)
def test_what_is_tried_depends_on_what_was_asked_for(settings, tried):
    train, _ = rows(*CASES["first"][:2])
    assert set(choose_formula(train, replace(SETTINGS, **settings)).accuracies) == tried


def test_products_that_would_be_too_many_are_not_tried(monkeypatch, caplog):
    monkeypatch.setattr(formula_choice, "MAX_PRODUCTS", 10)
    train, _ = rows(*CASES["first"][:2])
    with caplog.at_level("INFO"):
        assert set(choose_formula(train, SETTINGS).accuracies) == {"picture_only", "additive", "hidden"}
    assert f"they would have {WIDTH * 4} products" in caplog.text


@pytest.mark.parametrize("with_numbers", [True, False])
def test_components_of_products_fold_into_a_kernel_for_raw_features(with_numbers):
    train, valid = rows({"place": place, "price": price}, lambda kind, place, price: kind)
    ready = interaction_design(train, with_numbers=with_numbers)
    draw = np.random.default_rng(2)
    kernel, bias = draw.normal(0, 0.1, (ready.matrix.shape[1], 4)), draw.normal(size=4)
    raw, raw_bias = ready.fold(kernel, bias)
    assert len(raw) == WIDTH + 5 + 5 * WIDTH
    for images in (train, valid):
        features, extra = images.features.astype(np.float64), images.extra
        products = [features * extra[:, [number]] for number in range(5)]
        logits = np.concatenate([features, extra, *products], axis=1) @ raw + raw_bias
        np.testing.assert_allclose(logits, ready.apply(images) @ kernel + bias, atol=1e-3)
    assert raw[WIDTH + 5 : 2 * WIDTH + 5].any() == with_numbers


def test_many_rows_take_components_from_some_of_them(monkeypatch):
    from vision_recipes.training import interactions

    monkeypatch.setattr(interactions, "MOST_REFERENCES", 50)
    train, _ = rows(*CASES["first"][:2])
    ready = interaction_design(train)
    assert len(ready.features) <= 50 and len(ready.matrix) == len(train)


def test_a_hidden_layer_has_the_gradient_of_its_loss_and_folds():
    train, valid = rows(*CASES["two flags"][:2])
    ready = hidden_design(train)
    problem = HiddenProblem(ready.apply(train).astype(np.float64), train.one_hot(), train.weights)
    shapes = problem._shapes(2)
    draw = np.random.default_rng(3)
    parts = [draw.normal(0, 0.3, shape) for shape in shapes]
    loss, gradient = problem._loss(parts, 0.5)
    starts = np.cumsum([0, *(part.size for part in parts)])
    for place, part in enumerate(parts):
        moved = [part.copy() for part in parts]
        moved[place].flat[1] += 1e-5
        assert (problem._loss(moved, 0.5)[0] - loss) / 1e-5 == pytest.approx(gradient[starts[place] + 1], abs=1e-3)
    solution = problem.solve(1.0, networks=2, steps=20)
    layer, kernel, bias = solution.fold(ready)
    joined = np.concatenate([valid.features, valid.extra], axis=1)
    logits = np.tanh(joined @ layer.kernel + layer.bias) @ kernel + bias
    np.testing.assert_allclose(logits, solution.logits(ready.apply(valid)), atol=1e-3)


@pytest.mark.parametrize("case", ["first", "two flags", "nothing"])
def test_the_curve_is_one_series_that_ends_in_the_finished_head(case):
    train, valid = rows(*CASES[case][:2])
    seen = []
    found = fit(train, valid, SETTINGS, seen.append)
    assert seen == found.epochs
    numbers = [epoch.number for epoch in found.epochs]
    assert numbers == sorted(set(numbers)) and numbers[0] == 1
    last = found.epochs[-1]
    assert last.accuracy == accuracy(found.logits(train), train.targets)
    assert last.val_accuracy == accuracy(found.logits(valid), valid.targets)
    assert last.loss < found.epochs[0].loss
    assert fit(train, valid.take(np.arange(0)), SETTINGS).epochs[-1].val_loss is None


@pytest.mark.keras
def test_a_named_optimizer_trains_on_products_too():
    train, valid = rows(*CASES["first"][:2])
    found = fit(train, valid, replace(SETTINGS, model_optimizer="adam", model_learning_rate=0.01, nb_epochs=30))
    assert found.columns == "interactions"
    assert accuracy(found.logits(valid), valid.targets) > 0.85
