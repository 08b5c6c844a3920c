"""The lines of docs/vision-extract.md that train a classifier on extracted features run as printed."""

import re
import subprocess
import sys

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from conftest import ROOT


@pytest.mark.slow
def test_the_printed_lines_train_a_classifier_on_extracted_features(tmp_path):
    (lines,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs" / "vision-extract.md").read_text(encoding="utf-8"), re.DOTALL
    )
    (tmp_path / "results").mkdir()
    rng = np.random.default_rng(0)
    for name, count in (("features", 40), ("new_features", 20)):
        paths = [f"/{('lisa', 'bruno')[number % 2]}_pic_{number:04d}.jpg" for number in range(count)]
        vectors = [(rng.normal(size=8) + 9 * (number % 2)).tolist() for number in range(count)]
        table = {"images": [*paths, "/otto_pic_0099.jpg"], "prediction": [*vectors, None]}
        table |= {"label": [path[1:].split("_")[0] for path in table["images"]]}
        table |= {"error": [0] * count + [1], "reason": [""] * count + ["truncated"]}
        pyarrow.parquet.write_table(pyarrow.table(table), tmp_path / "results" / f"{name}.parquet")
    done = subprocess.run([sys.executable, "-c", lines], cwd=tmp_path, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout == "accuracy: 1.000\n"
