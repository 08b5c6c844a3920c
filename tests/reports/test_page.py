"""The report: one file, nothing from elsewhere, every name harmless, bounded."""

import base64
import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from vision_recipes.reports.comparison import compare
from vision_recipes.reports.confusion import MOST_CLASSES
from vision_recipes.reports.label_issues import CheckedLabel
from vision_recipes.reports.metric_rows import metric_rows
from vision_recipes.reports.page import Evaluation, render_page
from vision_recipes.reports.predictions import LabelledPredictions, Prediction
from vision_recipes.reports.slices import find_slices, slice_rows
from vision_recipes.stores import LocalStore

NASTY = "<script>alert(1)</script>\"'>&\u202e{{7*7}}$x^2$"


class Reader(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.text, self.ids = [], [], []
        self.feed(page.decode("utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        self.ids += [attributes["id"]] if "id" in attributes else []

    def handle_data(self, data):
        self.text.append(data)


def predictions(count, classes, seed=0, label=lambda number: f"class {number}"):
    rng = np.random.default_rng(seed)
    scores = rng.dirichlet(np.full(classes, 0.3), count)
    names = [label(number) for number in range(classes)]
    found = []
    for place, row in enumerate(scores):
        order = np.argsort(-row)[:5]
        probabilities = {names[number]: float(row[number]) for number in order}
        best = names[order[0]]
        truth = names[int(rng.choice(classes, p=row))]
        found.append(Prediction(f"/{place}.png", best, probabilities[best], probabilities, truth))
    return found


def evaluation(found, **more):
    evaluated = LabelledPredictions(found, 0, 0, 0, 0, 0, 0)
    rows = more.pop("rows", list(metric_rows(evaluated)))
    return Evaluation("scored", evaluated, more.pop("rejected", {}), rows, **more)


def store(folder, paths):
    rng = np.random.default_rng(1)
    for path in paths:
        Image.fromarray(rng.integers(0, 255, (40, 60, 3), np.uint8)).save(folder / path.lstrip("/"))
    return LocalStore(folder)


def test_a_report_loads_nothing_and_shows_everything(tmp_path):
    pictures = predictions(60, 3)
    page = render_page(evaluation(pictures, pictures=store(tmp_path, [picture.path for picture in pictures])))
    read = Reader(page)
    for tag, attributes in read.tags:
        assert tag not in ("script", "link", "iframe", "object", "embed", "base", "form"), tag
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "xlink:href"):
            if attributes.get(name):
                assert attributes[name].startswith(("data:image/webp;base64,", "#")), attributes[name][:60]
    assert "url(http" not in page.decode()
    assert "default-src 'none'" in next(a["content"] for t, a in read.tags if t == "meta" and "http-equiv" in a)
    images = [attributes for tag, attributes in read.tags if tag == "img"]
    assert len(images) > 20
    assert all(len(attributes["alt"]) > 10 and int(attributes["width"]) <= 176 for attributes in images)
    for attributes in images:
        with Image.open(io.BytesIO(base64.b64decode(attributes["src"].partition(",")[2], validate=True))) as image:
            image.load()
            assert image.size == (int(attributes["width"]), int(attributes["height"]))
    assert all(len(attributes["aria-label"]) > 10 for tag, attributes in read.tags if tag == "svg")
    anchors = {attributes["href"][1:] for tag, attributes in read.tags if tag == "a"}
    assert anchors <= set(read.ids)
    assert len(read.ids) == len(set(read.ids))
    right = sum(picture.right for picture in pictures)
    assert any(f"{right} of 60 pictures get the right label" in text for text in read.text)


def test_untrusted_names_do_nothing(tmp_path):
    pictures = predictions(30, 3, label=lambda number: f"{NASTY}{number}" + "long " * 300 * (number == 2))
    pictures[0] = Prediction(f"/{NASTY}\udcff\x07.png", pictures[0].label, 0.5, {}, pictures[0].truth, NASTY)
    cells = {picture.path: {NASTY: NASTY} for picture in pictures}
    slices = find_slices(pictures, cells, [NASTY])
    rows = [*metric_rows(LabelledPredictions(pictures, 0, 0, 0, 0, 0, 0)), *slice_rows(slices)]
    comparison = compare(pictures, predictions(30, 3, seed=2), NASTY)
    rows += comparison.rows()
    page = render_page(
        evaluation(
            pictures,
            rows=rows,
            slices=slices,
            comparison=comparison,
            rejected={f"/{NASTY}": NASTY, "/a": "truncated"},
        )
    )
    text = page.decode("utf-8")
    assert "<script" not in text
    assert "\u202e" not in text
    assert "\x07" not in text
    assert "{{7*7}}" in text  # shown as it is, not evaluated
    assert "&lt;script&gt;alert(1)" in text
    assert max(len(part) for part in Reader(page).text if "long long" in part) < 400


@pytest.mark.parametrize("classes", [2, 40, 300])
def test_a_page_stays_small_whatever_the_number_of_pictures(tmp_path, classes):
    pictures = predictions(4000, classes)
    paths = [picture.path for picture in pictures]
    store(tmp_path, paths[:200])
    page = render_page(evaluation(pictures, pictures=LocalStore(tmp_path)))
    shown = [attributes for tag, attributes in Reader(page).tags if tag == "img"]
    assert len(shown) < 300
    assert len(page) < 3_000_000
    cells = [
        attributes
        for tag, attributes in Reader(page).tags
        if tag == "td" and "--fraction" in attributes.get("style", "")
    ]
    assert len(cells) == min(classes, MOST_CLASSES) ** 2


def test_without_pictures_or_model_there_is_still_a_report(tmp_path):
    pictures = [Prediction("/a.png", "x", None, {}, "x"), Prediction("/../../etc/passwd", "x", 0.4, {"x": 0.4}, "y")]
    page = render_page(evaluation(pictures, pictures=store(tmp_path, ["/b.png"])))
    assert "picture not available" in page.decode()
    assert not [1 for tag, _ in Reader(page).tags if tag == "img"]


def test_slices_are_parts_of_the_pictures():
    pictures = predictions(50, 3)
    cells = {
        picture.path: {"camera": "a" if place % 2 else None, "size": place} for place, picture in enumerate(pictures)
    }
    found = {(part.column, part.value): part for part in find_slices(pictures, cells, ["camera", "size"])}
    assert {value for column, value in found if column == "camera"} == {"a", "(empty)"}
    assert sum(len(part.pictures) for (column, _), part in found.items() if column == "size") == 50
    assert len([1 for column, _ in found if column == "size"]) == 4
    part = found["camera", "a"]
    rows = {row["metric"]: row for row in slice_rows([part])}
    assert rows["slice_accuracy"]["value"] == sum(picture.right for picture in pictures[1::2]) / 25
    assert (rows["slice_accuracy"]["slice_column"], rows["slice_accuracy"]["slice"]) == ("camera", "a")


def test_a_comparison_counts_each_picture_once():
    first, other = predictions(80, 3), predictions(90, 3, seed=5)
    other = [
        Prediction(p.path, p.label, p.probability, p.probabilities, q.truth) for p, q in zip(other, first, strict=False)
    ]
    found = compare(first, other[10:], "other")
    rows = {row["metric"]: row["value"] for row in found.rows()}
    assert rows["compared_accuracy"] == sum(picture.right for picture in first[10:]) / 70
    counts = ("both_right", "only_first_right", "only_other_right", "neither_right")
    assert sum(rows[f"compared_{name}"] for name in counts) == 70
    only = rows["compared_only_first_right"] - rows["compared_only_other_right"]
    assert rows["compared_accuracy_difference"] == pytest.approx(only / 70)
    assert 0 <= rows["compared_p_value"] <= 1
    assert all(one.label != two.label for one, two in found.disagreements)


def test_the_page_of_a_trained_model(tmp_path, trained):
    """Curves, settings, versions, duplicates, leaks and rejected files come from the model folder."""
    from vision_recipes.reports.training_record import read_training_record

    training = read_training_record(LocalStore(trained))
    pictures = predictions(12, 2)
    page = render_page(evaluation(pictures, training=training, pictures=store(tmp_path, ["/0.png", "/1.png"]))).decode()
    for text in (
        "Accuracy over 2 epochs",
        "minihost run vision-retrain",
        "image_width=160",
        "1 pair of near-duplicates",
    ):
        assert text in page, text
    assert re.search(r"keras</td><td>[\d.]+</td><td class=\"changed\">0\.1", page)


def test_the_page_of_a_training_says_what_was_chosen_and_measured(trained, tmp_path):
    from vision_recipes.reports.training_record import read_training_record

    metrics = {
        "features": {"chosen": "several", "layers": ["a", "b"], "accuracy_last": 0.9, "accuracy_several": 0.98},
        "columns": {"chosen": "interactions", "accuracy_picture_only": 0.7, "accuracy_interactions": 0.925},
        "verdict": {"known": 0.9, "precision_of_known": 0.9951},
        "test": {"pictures": 50, "accuracy": 0.88, "accuracy_low": 0.76, "accuracy_high": 0.94},
    }
    (trained / "metrics.json").write_text(json.dumps(metrics))
    labels = ("class 0", "class 0", "class 1")
    sides = [{"sha256": f"{n:064x}", "label": label, "split": "train"} for n, label in enumerate(labels)]
    (trained / "run.json").write_text(json.dumps({"pictures": [*sides, *sides[:1], {"split": "test"}]}))
    training = read_training_record(LocalStore(trained))
    found = predictions(40, 2)
    page = render_page(evaluation(found, training=training, held_out=True)).decode().replace("\N{NO-BREAK SPACE}", " ")
    for text in (
        "the model was not trained on them",
        "Features: several layers (98.0 % right in cross-validation on the training pictures; 90.0 % with the last layer",
        "Extra columns: picture and columns, with their interactions (92.5 % right in cross-validation",
        "70.0 % with the picture only",
        "Verdict: 90.0 % of the validation pictures are “known”, and 99.5 % of these get the right label.",
        "On 50 test pictures, which took no part in the training, the accuracy is 88.0 %",
        "The best epoch was chosen by these very pictures",
        "and it has 1 to train on",
        "Look at 1 pair of nearly the same training pictures",
        "Written by vision-retrain",
    ):
        assert text in page, text
    assert "Rows that did not join" not in page


@pytest.mark.parametrize(("base", "connected"), [("efficientnet_lite0", False), ("MobileNetV2", True), ("", True)])
def test_the_command_connects_no_model_where_the_default_network_was_used(trained, base, connected):
    from vision_recipes.reports.reproduction import command
    from vision_recipes.reports.training_record import read_training_record

    run = json.loads((trained / "run.json").read_text()) | {"base_model": {"name": base}}
    (trained / "run.json").write_text(json.dumps(run))
    assert ("-i model_folder=BASE_MODEL" in command(read_training_record(LocalStore(trained)))) == connected


@pytest.mark.parametrize(
    "metrics",
    [
        {"features": {"chosen": ["last"]}, "columns": 3, "test": {"accuracy": "x"}},
        {"features": {"chosen": NASTY}, "columns": {"chosen": NASTY}, "test": []},
        {"test": dict.fromkeys(("pictures", "accuracy", "accuracy_low", "accuracy_high"), 10**400)},
    ],
)
def test_metrics_that_no_training_writes_are_left_out(trained, metrics):
    from vision_recipes.reports.training_record import read_training_record

    (trained / "metrics.json").write_text(json.dumps(metrics))
    training = read_training_record(LocalStore(trained))
    page = render_page(evaluation(predictions(40, 2), training=training, held_out=True)).decode()
    assert "Features:" not in page and "test pictures" not in page and "<script" not in page


def test_a_training_picture_among_those_shown_is_an_alarm(trained, tmp_path):
    from hashlib import sha256

    from vision_recipes.reports.training_record import read_training_record

    found = predictions(12, 2)
    folder = store(tmp_path, [picture.path for picture in found])
    digests = [sha256((tmp_path / f"{number}.png").read_bytes()).hexdigest() for number in (0, 1, 2)]
    sides = zip(digests, ("train", "validation", "test"), strict=True)
    (trained / "run.json").write_text(json.dumps({"pictures": [{"sha256": d, "split": s} for d, s in sides]}))
    training = read_training_record(LocalStore(trained))
    page = render_page(evaluation(found, training=training, pictures=folder)).decode()
    assert "Data leakage: 1 of the 12 pictures shown here was used in training" in page


def test_a_verdict_is_told_apart_from_being_right():
    found = [replace(picture, label=str(picture.truth), verdict="unknown") for picture in predictions(9, 2)]
    page = " ".join(render_page(evaluation(found)).decode().split())
    assert '<th scope="row"><bdi>unknown</bdi></th><td class="n">9</td><td class="n">100 %' in page
    assert "not whether its label is right" in page


def test_label_issues_are_shown_with_their_nearest_neighbours(tmp_path):
    neighbours = tuple(f"/{number}.png" for number in range(1, 6))
    checked = [
        CheckedLabel("/0.png", "egg", "stone", 0.9, "wrong_label", neighbours),
        CheckedLabel("/1.png", "egg", "egg", 0.1, ""),
    ]
    folder = store(tmp_path, [f"/{number}.png" for number in range(6)])
    page = render_page(evaluation(predictions(12, 2), checked=checked, checked_pictures=folder))
    assert "Likely label errors: 1 of 2 checked labels; expected number of wrong labels: 1.0." in page.decode()
    assert "wrong label, suspicion 0.90" in page.decode()
    shown = [attributes["alt"] for tag, attributes in Reader(page).tags if tag == "img"]
    assert shown == ["Picture 0.png, labelled egg", *(f"similar picture {number}.png" for number in (1, 2, 3))]


def test_labels_to_check_are_there_beside_labels_that_were_checked():
    """Checked labels are those of the training pictures; the advice is about the evaluated ones."""
    mistaken = [
        Prediction("/99.png", "stone", 0.99, {"stone": 0.99, "egg": 0.01}, "egg"),
        *(Prediction(f"/{number}.png", "egg", 0.9, {"egg": 0.9, "stone": 0.1}, "egg") for number in range(30)),
        *(Prediction(f"/{number}.png", "stone", 0.9, {"stone": 0.9, "egg": 0.1}, "stone") for number in range(30, 60)),
    ]
    checked = [CheckedLabel("/1.png", "egg", "egg", 0.1, "")]
    page = render_page(evaluation(mistaken, checked=checked)).decode()
    assert "Check the labels of 1 picture under" in page
    assert "Likely label errors: 0 of 1 checked labels; expected number of wrong labels: 0.1.</p>" in page
    assert "Pictures evaluated here whose true label may be wrong" in page
    assert "No likely label errors" not in page


def test_augmentation_is_shown_on_the_pictures_that_were_scored(tmp_path, trained):
    from vision_recipes.reports.training_record import read_training_record

    run = {"parameters": {"label_source": "folder_names", "data_augmentation": True, "n_augmentation": 5}}
    (trained / "run.json").write_text(json.dumps(run))
    paths = [f"/{number}.png" for number in range(12)]
    training = read_training_record(LocalStore(trained))
    page = render_page(evaluation(predictions(12, 2), training=training, pictures=store(tmp_path, paths)))
    alts = [attributes["alt"] for tag, attributes in Reader(page).tags if tag == "img"]
    assert alts.count("unchanged") == 4
    assert [alts.count(f"augmented copy {number}") for number in (1, 2, 3, 4)] == [4, 4, 4, 0]
    assert "in 5 augmented copies" in page.decode()


@pytest.fixture
def trained(tmp_path_factory, small_original):
    import shutil

    folder = tmp_path_factory.mktemp("models") / "net"
    shutil.copytree(small_original, folder)
    with (folder / "history.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerows(
            [["stage", "number", "loss", "accuracy", "val_loss", "val_accuracy"], ["x", 1, 2, 0.5, 2, 0.4]]
        )
        writer.writerow(["x", 2, "nan", 0.9, 1, 0.8])
    run = {
        "parameters": {"image_width": 160, "compute": {}},
        "versions": {"keras": "0.1"},
        "remarks": [NASTY],
        "pictures": [3],
    }
    (folder / "run.json").write_text(json.dumps(run))
    (folder / "metrics.json").write_text("[1, 2")
    (folder / "duplicates.csv").write_text(
        "path,other,likeness,label,other_label,split,other_split\n/a,/b,0.99,x,y,train,test\n"
    )
    return folder
