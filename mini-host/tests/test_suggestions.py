import pytest

from minihost.suggestions import did_you_mean


@pytest.mark.parametrize(
    ("wrong", "names", "answer"),
    [
        ("image_fodler", ["image_folder", "model_folder"], " Did you mean 'image_folder'?"),
        ("fold_one", ["fold_on", "fold_ones", "other"], " Did you mean 'fold_ones' or 'fold_on'?"),
        ("LABEL", ["label", "labels"], " Did you mean 'label' or 'labels'?"),
        ("precision", ["compute", "compute.precision"], " Did you mean 'compute.precision'?"),
        ("zzz", ["label"], ""),
        ("x", [], ""),
    ],
)
def test_the_nearest_names(wrong, names, answer):
    assert did_you_mean(wrong, names) == answer


def test_a_suggestion_keeps_its_folder():
    assert did_you_mean("min", ["mine"], "models/") == " Did you mean 'models/mine'?"
