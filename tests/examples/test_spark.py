"""The example for Spark gives vision-classify's rows: on frames of pandas, and in Spark's local mode."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import ROOT
from images.files import bad_files, good_files
from inference.tiny import write_tiny_model

from vision_recipes.classify import classify
from vision_recipes.settings import ClassifySettings
from vision_recipes.stores import LocalStore

EXAMPLE = ROOT / "examples" / "spark" / "classify_with_spark.py"


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """A folder of pictures, half of them damaged, and one of a model."""
    monkeypatch.setenv("VISION_RECIPES_CACHE", str(tmp_path / "cache"))
    pictures = tmp_path / "pictures"
    (pictures / "sub").mkdir(parents=True)
    for name, content in good_files().items():
        (pictures / name).write_bytes(content)
    for name, (content, _) in bad_files().items():
        (pictures / "sub" / name).write_bytes(content)
    (pictures / "leads_out.jpg").symlink_to(EXAMPLE)
    write_tiny_model(tmp_path / "model")
    return str(pictures), str(tmp_path / "model")


def expected(pictures: str, model: str) -> list[dict[str, Any]]:
    return list(classify(LocalStore(pictures), LocalStore(model), ClassifySettings()))


def rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


def test_frames_of_paths_become_the_rows_of_vision_classify(places: tuple[str, str]) -> None:
    spec = importlib.util.spec_from_file_location("classify_with_spark", EXAMPLE)
    assert spec is not None and spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    rows_of_recipe = expected(*places)
    paths = [row["images"] for row in rows_of_recipe]
    frames = [pd.DataFrame({"images": paths[start : start + 4]}) for start in range(0, len(paths), 4)]
    found = pd.concat(example.classify(iter(frames), *places))
    assert rows(found) == rows_of_recipe
    assert example.opened.cache_info().misses == 1 == len({id(example.opened(*places)) for _ in range(2)})
    assert len(EXAMPLE.read_text("utf-8").splitlines()) <= 60


@pytest.mark.slow
def test_spark_writes_the_same_rows_in_the_listings_order(places: tuple[str, str], tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    if not shutil.which("java"):
        pytest.skip("no Java on this machine")
    command = [sys.executable, EXAMPLE, places[0], tmp_path / "scored.parquet", places[1]]
    settings = "--master local[2] --conf spark.ui.enabled=false --conf spark.default.parallelism=1 pyspark-shell"
    paths = os.pathsep.join(path for path in sys.path if path)
    variables = {"PYSPARK_PYTHON": sys.executable, "PYSPARK_SUBMIT_ARGS": settings, "PYTHONPATH": paths}
    variables["SPARK_LOCAL_IP"] = "127.0.0.1"
    done = subprocess.run(command, env=os.environ | variables, capture_output=True, encoding="utf-8", timeout=250)
    assert done.returncode == 0, done.stderr
    assert rows(pd.read_parquet(tmp_path / "scored.parquet")) == expected(*places)
