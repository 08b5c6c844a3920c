"""The training curves in a browser and over HTTP, while a training writes and afterwards."""

import json
import re
import shutil
import subprocess
from contextlib import closing

import pytest
from served_webapps import Served

from vision_recipes.stores import LocalStore
from vision_recipes.training.epochs import Epoch
from vision_recipes.training.tensorboard_logs import TensorBoardLogs

pytestmark = pytest.mark.network
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def train(folder, *losses, solver=()):
    """Write the logs of fine-tuning, after a last layer that a solver found if there are such losses."""
    folder.mkdir(parents=True, exist_ok=True)
    with closing(TensorBoardLogs(LocalStore(folder))) as written:
        for stage, rate, values in (("last layer", 0.0, solver), ("fine-tuning", 0.001, losses)):
            for number, loss in enumerate(values, start=1):
                written.add(stage, Epoch(number, loss, 1 - loss / 2, loss * 1.1, 0.9 - loss / 2, rate, 2.0))


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    root = tmp_path_factory.mktemp("served")
    train(root / "models" / "net", 1.0, 0.5, 0.25)
    served = Served("vision-tensorboard", "-p", "model_folder=models/net", "--streams-only", cwd=root)
    served.root = root
    yield served
    served.stop()


def browse(served, *options):
    link = f"{served.url}?token={served.token}"
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=8000", *options, link]
    return subprocess.run(command, capture_output=True, text=True, timeout=120).stdout


def loss(served):
    curves = json.loads(served.ask("backend/curves")[1])["curves"]
    return next(one["points"] for one in curves if (one["run"], one["tag"]) == ("fine-tuning/train", "epoch_loss"))


def test_the_page_and_the_figures(served):
    assert "<h1>Training curves</h1>" in served.ask()[1]
    assert loss(served) == [[1, 1.0], [2, 0.5], [3, 0.25]]
    status, page = served.ask("backend/tensorboard/")
    assert status == 200
    assert "tb-relative-root" in page


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_what_a_person_sees(served, tmp_path):
    page = browse(served, "--dump-dom")
    text = " ".join(re.sub(r"<[^>]+>", " ", page.partition("<header>")[2]).split())
    assert "Training curves net" in text
    for words in (
        "Epochs 3",
        "Best validation accuracy 77.5 % epoch 3",
        "Lowest validation loss 0.275",
        "Training now",
    ):
        assert words in text
    titles = re.findall(r"<figcaption><b>([^<]*)</b>", page)
    assert titles == ["Loss", "Accuracy", "Learning rate", "Seconds per epoch"]
    assert page.count('<path class="curve"') == 6
    assert page.count(">epochs</text>") == 4
    boxes = re.findall(r'<svg viewBox="0 0 (\d+) 240"', page)
    assert len(set(boxes)) == 1, "each chart is drawn as wide as it is shown"
    browse(served, f"--screenshot={tmp_path / 'page.png'}", "--window-size=1280,900", "--hide-scrollbars")
    assert (tmp_path / "page.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_stages_are_curves_of_their_own_and_a_solver_has_no_learning_rate(served):
    net = served.root / "models" / "net"
    shutil.rmtree(net / "tensorboard_logs")
    train(net, 0.3, 0.2, solver=[0.9, 0.5, 0.4])
    page = browse(served, "--dump-dom")
    titles = re.findall(r"<figcaption><b>([^<]*)</b>", page)
    assert titles[:2] == ["Loss, last layer", "Accuracy, last layer"]
    assert titles[2:] == [f"{name}, fine-tuning" for name in ("Loss", "Accuracy", "Learning rate", "Seconds per epoch")]
    assert (page.count(">solver steps</text>"), page.count(">epochs</text>")) == (2, 4)
    text = " ".join(re.sub(r"<[^>]+>", " ", page.partition("<header>")[2]).split())
    for words in (
        "Solver steps, last layer 3",
        "Validation accuracy, last layer 70.0 %",
        "Best validation accuracy, fine-tuning 80.0 % epoch 2",
    ):
        assert words in text


def test_a_training_that_goes_on_is_seen(served):
    net = served.root / "models" / "net"
    stage = net.with_name(".minihost-stage.net") / "files"
    shutil.rmtree(net / "tensorboard_logs")
    train(stage, 0.9)
    assert loss(served) == [[1, pytest.approx(0.9)]]


def test_without_a_folder(minihost_project):
    from minihost.errors import JobError

    with pytest.raises(JobError, match="'model_folder' is missing"), minihost_project().webapp("vision-tensorboard"):
        pass
