"""Training curves: TensorBoard's own loader reads them, also during training."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from vision_recipes.stores import LocalStore
from vision_recipes.training import tensorboard_logs
from vision_recipes.training.epochs import Epoch
from vision_recipes.training.tensorboard_logs import TensorBoardLogs


def epoch(number: int, *, validated: bool = True) -> Epoch:
    val = (0.5 / number, 0.9) if validated else (None, None)
    return Epoch(number, 1.5 / number, 0.75, *val, learning_rate=1e-3, seconds=2.5)


def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return the curves in a folder by TensorBoard's own loader, in a process of its own: it may import TensorFlow."""
    code = """
import json, sys
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
found = {}
for path in sys.argv[1:]:
    for raw in RawEventFileLoader(path).Load():
        event = Event.FromString(raw)
        assert event.wall_time > 1e9
        for value in event.summary.value:
            found.setdefault(path.split("/")[-2] + "/" + value.tag, []).append((event.step, value.simple_value))
        if event.file_version:
            found.setdefault("versions", []).append((event.step, event.file_version))
print(json.dumps(found))
"""
    files = sorted(str(path) for path in folder.rglob("*tfevents*"))
    done = subprocess.run([sys.executable, "-c", code, *files], capture_output=True, text=True, check=True)
    import json

    return {name: [tuple(pair) for pair in pairs] for name, pairs in json.loads(done.stdout).items()}


def test_tensorboard_reads_the_curves(tmp_path: Path) -> None:
    with closing(TensorBoardLogs(LocalStore(tmp_path))) as logs:
        for number in (1, 2, 200):
            logs.add("last layer", epoch(number))
    found = read(tmp_path / "tensorboard_logs")
    assert found.pop("versions") == [(0, "brain.Event:2")] * 2
    assert set(found) == {
        "train/epoch_loss",
        "train/epoch_accuracy",
        "train/epoch_learning_rate",
        "train/epoch_seconds",
        "validation/epoch_loss",
        "validation/epoch_accuracy",
    }
    assert found["train/epoch_loss"] == [(1, 1.5), (2, 0.75), (200, pytest.approx(0.0075))]
    assert found["validation/epoch_accuracy"] == [(step, pytest.approx(0.9)) for step in (1, 2, 200)]


def test_without_validation_there_is_one_file(tmp_path: Path) -> None:
    with closing(TensorBoardLogs(LocalStore(tmp_path))) as logs:
        logs.add("last layer", epoch(1, validated=False))
    (path,) = tmp_path.rglob("*tfevents*")
    assert path.parent.name == "train"


def test_the_first_epoch_is_written_immediately_and_a_failure_keeps_what_was_written(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), closing(TensorBoardLogs(LocalStore(tmp_path), "logs")) as logs:
        logs.add("last layer", epoch(1))
        assert len(list((tmp_path / "logs").rglob("*tfevents*"))) == 2
        logs.add("last layer", epoch(2))
        raise RuntimeError
    assert len(read(tmp_path / "logs")["train/epoch_loss"]) == 2


def test_an_earlier_trainings_files_are_deleted_and_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LocalStore(tmp_path)
    store.write("/tensorboard_logs/train/events.out.tfevents.1.old", b"old")
    store.write("/tensorboard_logs/notes.txt", b"mine")
    with closing(TensorBoardLogs(store)):
        pass
    assert len(store.paths()) == 2
    monkeypatch.setattr(tensorboard_logs.time, "time", lambda: 1_800_000_000.0)
    with closing(TensorBoardLogs(store)) as logs:
        logs.add("last layer", epoch(1))
    assert store.paths() == [
        "/tensorboard_logs/last-layer/train/events.out.tfevents.1800000000.vision-recipes",
        "/tensorboard_logs/last-layer/validation/events.out.tfevents.1800000000.vision-recipes",
        "/tensorboard_logs/notes.txt",
    ]


def test_writing_imports_no_framework(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom contextlib import closing\nfrom vision_recipes.stores import LocalStore\nfrom vision_recipes.training.tensorboard_logs import TensorBoardLogs\n"
        "from vision_recipes.training.epochs import Epoch\n"
        f"with closing(TensorBoardLogs(LocalStore({str(tmp_path)!r}))) as logs:\n    logs.add('last layer', Epoch(1, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0))\n"
        "assert not set(sys.modules) & {'tensorflow', 'keras', 'pandas', 'sklearn'}"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
