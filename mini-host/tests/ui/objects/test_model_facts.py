import json

import pytest

from minihost.folders.local import LocalFolder
from minihost.ui.objects import model_facts
from minihost.ui.objects.model_card import blocks

CONFIG = {
    "format": model_facts.FORMAT,
    "name": "egg",
    "n_classes": 2,
    "input": {"width": 224, "height": 224, "channels": "rgb"},
}
METRICS = {
    "validation": {
        "pictures": 160,
        "accuracy": 0.95,
        "accuracy_low": 0.9,
        "classes": [{"label": "<b>egg", "recall": 1.0}],
    }
}


def write(folder, **files):
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (
            folder
            / {"config": "config.json", "metrics": "metrics.json", "labels": "model_labels.csv", "card": "README.md"}[
                name
            ]
        ).write_text(text)
    return LocalFolder(folder)


def test_a_model_is_read_by_its_files(tmp_path, client_of):
    store = write(
        tmp_path,
        config=CONFIG,
        metrics=METRICS,
        labels="id,className\n0,<b>egg\n1,ball\n",
        card="# Egg\n\n- one\n- two\n",
    )
    found = model_facts.read(store)
    assert (found.name, found.labels, found.n_labels, found.mistakes) == ("egg", ["<b>egg", "ball"], 2, [])
    (side,) = found.sides
    assert (side.accuracy, side.pictures, side.high, side.classes) == (0.95, 160, None, [("<b>egg", None, 1.0, None)])
    (tmp_path / "flow.yaml").write_text("folders: {model: .}\n")
    text = client_of(tmp_path).get("/folder?ref=model").text
    assert "95.0 %" in text and "224 × 224 RGB" in text and "<b>egg" not in text


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"metrics": '{"validation": {"accuracy": NaN}}'}, "NaN is no number"),
        ({"metrics": '{"a": 1, "a": 2}'}, "comes twice"),
        ({"metrics": "[" * 200_000}, "is not JSON"),
        ({"metrics": "[]"}, "no JSON object"),
        ({"metrics": " " * (5 << 20)}, "is not shown"),
        ({"card": "x" * (300 << 10)}, "is not shown"),
    ],
)
def test_files_that_are_broken_or_huge_are_named(tmp_path, files, said):
    found = model_facts.read(write(tmp_path, config=CONFIG, labels="id,className\n0,a\n", **files))
    assert len(found.mistakes) == 1 and said in found.mistakes[0]


@pytest.mark.parametrize(
    "metrics",
    [
        {"validation": 1},
        {"validation": {"accuracy": "x"}},
        {"validation": {"accuracy": 7}},
        {"validation": {"accuracy": 1, "classes": 3, "log_loss": []}},
    ],
)
def test_figures_of_another_kind_are_left_out(tmp_path, metrics):
    found = model_facts.read(
        write(tmp_path, config={**CONFIG, "input": "no", "n_classes": "two"}, labels="", metrics=metrics)
    )
    assert all(side.classes == [] and side.log_loss is None for side in found.sides) and found.n_labels == 0


def test_other_folders_are_no_models(tmp_path):
    assert model_facts.read(LocalFolder(tmp_path)) is None
    assert model_facts.read(write(tmp_path, config={"format": "another"})) is None


def test_a_card_is_blocks_of_text():
    found = blocks("# A\\_b\n\ntext\ngoes on\n- one\n  more\n- two\n\n```\n<i>\n# no heading\n```\n1. first\n")
    assert [(block.kind, block.lines) for block in found] == [
        ("heading", ["A_b"]), ("text", ["text", "goes on"]), ("list", ["one more", "two"]),
        ("code", ["<i>", "# no heading"]), ("list", ["first"]),
    ]  # fmt: skip
