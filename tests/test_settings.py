"""Settings are made once at the door, and every mistake is told at once."""

import pytest

from vision_recipes.errors import SettingsError
from vision_recipes.macro_settings import ImportSettings
from vision_recipes.settings import ClassifySettings, ComputeSettings
from vision_recipes.training_settings import RetrainSettings


def test_absent_none_and_empty_are_the_default():
    assert ClassifySettings.from_params({"max_nb_labels": "", "min_threshold": None}) == ClassifySettings()


def test_values_are_cast_as_hosts_send_them():
    made = ClassifySettings.from_params({"max_nb_labels": 3.0, "min_threshold": "0.25", "compute": {"use_gpu": True}})
    assert (made.max_nb_labels, made.min_threshold, made.compute.use_gpu) == (3, 0.25, "true")
    assert isinstance(made.max_nb_labels, int)


def test_all_mistakes_come_at_once_with_the_value_received():
    with pytest.raises(SettingsError) as caught:
        RetrainSettings.from_params({"nb_epochs": "ten", "train_ratio": 3, "compute": {"precision": "double"}})
    for part in ("nb_epochs: 'ten'", "train_ratio: 3", "precision: 'double' is not one of auto"):
        assert part in str(caught.value)
    assert caught.value.for_user


@pytest.mark.parametrize("value", ["nan", "inf", True, [1], 10**400, "1e999"])
def test_numbers_are_finite_numbers(value):
    with pytest.raises(SettingsError, match="min_threshold"):
        ClassifySettings.from_params({"min_threshold": value})


def test_whole_numbers_are_whole():
    with pytest.raises(SettingsError, match="2.5' is not a whole number"):
        ClassifySettings.from_params({"max_nb_labels": "2.5"})


def test_pairs_come_as_list_or_mapping():
    labels = {"col_filename": "path", "col_label": "label"}
    as_list = labels | {"model_custom_params_opti": [{"from": "momentum", "to": "0.9"}]}
    as_map = labels | {"model_custom_params_opti": {"momentum": 0.9}}
    assert RetrainSettings.from_params(as_list) == RetrainSettings.from_params(as_map)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"label_source": "file_names"}, "label_pattern"),
        ({"label_source": "folder_names", "image_width": 64}, "image_height is 0"),
    ],
)
def test_fields_that_need_each_other(params, message):
    with pytest.raises(SettingsError, match=message):
        RetrainSettings.from_params(params)


def test_macros_need_a_folder():
    with pytest.raises(SettingsError, match="output_new_folder_name"):
        ImportSettings.from_params({"model_file": "net.keras"})


def test_unknown_choices_list_the_known():
    with pytest.raises(SettingsError, match="auto, openvino, keras"):
        ComputeSettings.from_params({"engine": "torch"})


def test_names_of_columns_keep_their_blanks():
    found = RetrainSettings.from_params(
        {"col_filename": "path ", "col_label": " label", "extra_columns": [" age", " "]}
    )
    assert (found.col_filename, found.col_label, found.extra_columns) == ("path ", " label", (" age",))
    listed = RetrainSettings.from_params({"col_filename": "a", "col_label": "b", "extra_columns": "c, d"})
    assert listed.extra_columns == ("c", "d")
    assert RetrainSettings.from_params({"col_filename": "path", "col_label": "  "}).col_label == ""
