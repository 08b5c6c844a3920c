"""Each component's params and the fields of its settings are the same names, defaults, choices and bounds."""

import json
from dataclasses import MISSING, fields

import pytest
from conftest import ROOT

from vision_recipes import (
    compare_settings,
    feature_model_settings,
    macro_settings,
    map_settings,
    monitor_settings,
    settings,
    similar_settings,
    training_settings,
    webapp_settings,
)

PAIRS = {
    "custom-recipes/vision-classify/recipe.json": settings.ClassifySettings,
    "custom-recipes/vision-extract/recipe.json": training_settings.ExtractSettings,
    "custom-recipes/vision-retrain/recipe.json": training_settings.RetrainSettings,
    "custom-recipes/vision-evaluate/recipe.json": training_settings.EvaluateSettings,
    "custom-recipes/vision-explain/recipe.json": settings.ExplainSettings,
    "custom-recipes/vision-check-labels/recipe.json": training_settings.CheckLabelsSettings,
    "custom-recipes/vision-monitor/recipe.json": monitor_settings.MonitorSettings,
    "custom-recipes/vision-similar/recipe.json": similar_settings.SimilarSettings,
    "custom-recipes/vision-compare/recipe.json": compare_settings.CompareSettings,
    "custom-recipes/vision-map/recipe.json": map_settings.MapSettings,
    "custom-recipes/vision-train-features/recipe.json": feature_model_settings.TrainFeaturesSettings,
    "custom-recipes/vision-score-features/recipe.json": feature_model_settings.ScoreFeaturesSettings,
    "python-runnables/vision-download/runnable.json": macro_settings.DownloadSettings,
    "python-runnables/vision-import/runnable.json": macro_settings.ImportSettings,
    "python-runnables/vision-export/runnable.json": macro_settings.ExportSettings,
    "python-runnables/vision-api-endpoint/runnable.json": macro_settings.EndpointSettings,
    "python-runnables/vision-quantize/runnable.json": macro_settings.QuantizeSettings,
    "webapps/vision-try/webapp.json": webapp_settings.TryModelSettings,
    "parameter-sets/vision-compute/parameter-set.json": settings.ComputeSettings,
}


def declared(path):
    params = json.loads((ROOT / path).read_text(encoding="utf-8"))["params"]
    return {param["name"]: param for param in params if param["type"] != "SEPARATOR"}


@pytest.mark.parametrize("path", PAIRS)
def test_names_are_the_same(path):
    assert set(declared(path)) == {field.name for field in fields(PAIRS[path])}


@pytest.mark.parametrize("path", PAIRS)
def test_defaults_choices_and_bounds_are_the_same(path):
    params = declared(path)
    for field in fields(PAIRS[path]):
        param = params[field.name]
        if "defaultValue" in param:
            assert param["defaultValue"] == field.default, field.name
        else:
            assert field.default in ("", (), MISSING), field.name
        if "selectChoices" in param:
            declared_choices = field.metadata.get("choices") or field.metadata["each"]
            assert {choice["value"] for choice in param["selectChoices"]} == set(declared_choices), field.name
        for key, bound in (("minI", "low"), ("maxI", "high"), ("minD", "low"), ("maxD", "high")):
            if key in param:
                assert param[key] == field.metadata[bound], field.name


def test_every_component_is_held_to_its_settings():
    found = {
        str(p.relative_to(ROOT))
        for top in ("custom-recipes", "python-runnables")
        for p in (ROOT / top).glob("*/*.json")
    }
    found |= {str(p.relative_to(ROOT)) for p in ROOT.glob("parameter-sets/*/parameter-set.json")}
    found |= {str(p.relative_to(ROOT)) for p in ROOT.glob("webapps/*/webapp.json")}
    without = {"webapps/vision-tensorboard/webapp.json", "custom-recipes/vision-merge/recipe.json"}
    assert found - without == set(PAIRS), "but those without settings"
    assert not declared("custom-recipes/vision-merge/recipe.json")
