"""Situations from public bug reports, each a script that makes its own input and runs the product."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

LIKE = r"likeness to the plain picture 1\.000"
CASES = {
    "01_second_model_of_a_notebook": [r"(?s)(.*\ndone in){3}"],
    "02_preprocess_input_caffe_inside": [r"Scaling +\(x - \[0\.0, 0\.0, 0\.0\]\)", "exit 0"],
    "03_tutorial_saved_as_h5": ["(?s)exit 0.*exit 0"],
    "05_activation_softmax_v2": ["exit 0"],
    "07_lambda_in_h5": [r"'scale' is a Lambda.*Save the network without it.*preprocessing"],
    "09_teachable_machine_other_exports": ["(?s)(.*choose 'Tensorflow' and 'Keras' in its export dialog){4}"],
    "14_scaling_guessed_from_a_name": ["WARNING .*caffe, is a guess", "Guess .*zero_to_one", "exit 0"],
    "16_repeated_names_in_nested_h5": ["(?s)exit 0.*exit 0"],
    "18_semicolon_csv": ["semicolon-separated", r"accuracy,,,1\.0,2"],
    "20_absolute_and_windows_paths": [
        r"(?s)(.*\naccuracy,,,1\.0,2){5}",
        r"removing the prefix 'C:\\Users\\me\\photos\\'",
    ],
    "21_url_encoded_names": ["percent-decoding", r"accuracy,,,1\.0,3"],
    "24_blanks_around_cells": ["blanks at the ends of names", "'CAT' as 'cat'", r"accuracy,,,1\.0,4", "' label'"],
    "25_integer_labels_became_floats": [r"accuracy,,,1\.0,2", "confusion,1,1,"],
    "27_train_and_val_folders": ["name a split and are not labels", "16 train, 6 validation", "0,cat\n1,dog\n$"],
    "31_phone_photo_of_50_megapixels": [r"(?s)(.*MP.jpg likeness to the plain picture (1\.000|0\.99\d)){3}"],
    "34_deep_grey_pictures": [
        f"(?s)(.*_(16bit|12_in_16bit|float|int32).(png|tif) {LIKE}){{5}}",
        r"black.png .* 0\.[0-8]",
    ],
}
"""What must be in the output of each, as regular expressions."""


@pytest.mark.slow
@pytest.mark.keras
@pytest.mark.parametrize("name", CASES)
def test_a_situation_from_a_bug_report(name, shared, tmp_path):
    script = shared.parent / "cases" / name / "run.sh"
    if not script.is_file():
        pytest.skip("the scripts are not here")
    python = Path(sys.executable)
    own = {"MINIHOST": str(python.with_name("minihost")), "PY": str(python), "MINIHOST_PLUGINS": str(ROOT)}
    done = subprocess.run(["bash", script], env=os.environ | own, capture_output=True, text=True, cwd=tmp_path)
    assert "Traceback" not in done.stdout
    for words in CASES[name]:
        assert re.search(words, done.stdout), (words, done.stdout)
