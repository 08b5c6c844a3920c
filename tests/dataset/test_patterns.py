import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_recipes.dataset import file_name_patterns
from vision_recipes.errors import LabelsError


@pytest.mark.parametrize(
    ("pattern", "path", "label"),
    [
        ("{label}_pic_{number}.jpg", "/lisa_pic_0094.jpg", "lisa"),
        ("{label}_pic_{number}.jpg", "/deep/homer_simpson_pic_1.JPG", "homer_simpson"),
        ("{label}_{number}.jpg", "/big_dog_12.jpg", "big_dog"),
        ("{label}{number}.jpg", "/cat12.jpg", "cat"),
        ("{number}_{label}", "/10_kitchen.jpg", "kitchen"),
        ("{number}_{label}", "/10_kitchen", "kitchen"),
        ("*-{label}", "/x-Été 1.0.png", "Été 1.0"),
        ("{label}/{any}", "/train/egg/1.jpg", "egg"),
        ("{label}/*/*", "/007/left/1.jpg", "007"),
        ("{label}_pic_{number}.jpg", "/lisa.jpg", None),
        ("{label}/{any}", "/1.jpg", None),
        ("{label}_{number}", "/" + "a" * 400 + "_1.jpg", None),
        ("a.c_{label}", "/abc_x.jpg", None),
        ("{label}_\n", "/x_\n.jpg", "x"),
    ],
)
def test_label_is_read_from_the_name(pattern, path, label):
    if pattern.endswith("\n"):
        pattern = pattern + "{any}"
    assert file_name_patterns.reader(pattern)(path) == label


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("", "0 times"),
        ("{number}.jpg", "0 times"),
        ("{label}_{label}", "2 times"),
        ("{label}*", "side by side"),
        ("{any}{label}", "side by side"),
        ("{name}_{label}", "{name}"),
        ("*a*b*c{label}", "at most 3"),
    ],
)
def test_unclear_pattern_is_refused(pattern, says):
    with pytest.raises(LabelsError, match="label_pattern") as refusal:
        file_name_patterns.reader(pattern)
    assert says in str(refusal.value)


@pytest.mark.timeout(60)
def test_a_hostile_name_is_answered():
    read = file_name_patterns.reader("{label}a{any}a{any}ab")
    assert read("/" + "a" * file_name_patterns.LONGEST_NAME) is None


@settings(deadline=None)
@given(st.text(min_size=1, max_size=30).filter(lambda text: "/" not in text and text.strip()), st.integers(0, 9999))
def test_what_was_written_is_read_back(label, number):
    found = file_name_patterns.reader("{label}_pic_{number}.jpg")(f"/{label}_pic_{number:04d}.jpg")
    assert found is not None
    assert label.startswith(found)
    if "_pic_" not in label + "_pic":
        assert found == label
