"""What `+` offers on an object, with roles filled as the flow tells; a plugin of its own stands for every other."""

import pytest
import yaml
from plugin_folders import write_plugin

from minihost.plugins import Search, discovery
from minihost.projects import project
from minihost.projects.fitting_recipes import offers
from minihost.projects.flow_graph import graph


def role(name, *, folder=False, required=False, cache=False):
    more = {"minihost": {"cache": True}} if cache else {}
    return {"name": name, "required": required, "acceptsDataset": not folder, "acceptsManagedFolder": folder, **more}


def recipe(inputs, outputs):
    return {"meta": {"label": "r"}, "inputRoles": inputs, "outputRoles": outputs, "params": []}


PHOTOS, MODEL = role("image_folder", folder=True, required=True), role("model_folder", folder=True)
RECIPES = {
    "train": recipe([PHOTOS], [role("model_output", folder=True, required=True)]),
    "label": recipe([PHOTOS, MODEL], [role("scored_dataset", required=True), role("review_dataset")]),
    "check": recipe([PHOTOS, MODEL], [role("checked_dataset", required=True)]),
    "judge": recipe(
        [
            role("scored_dataset", required=True),
            {**PHOTOS, "required": False},
            role("checked_dataset"),
            role("checked_folder", folder=True),
        ],
        [role("report_folder", folder=True)],
    ),
}
DRAW = {
    "meta": {"label": "d"},
    "params": [{"name": "output_folder", "type": "MANAGED_FOLDER"}],
    "macroRoles": [{"type": "MANAGED_FOLDER", "targetParamsKey": "output_folder"}],
}


@pytest.fixture
def offered(tmp_path):
    """Return a function: flow as facts, id of an object -> {component: offer}, in order."""
    plugin = write_plugin(tmp_path / "plugin", recipes=RECIPES.items(), macros=[("draw", DRAW)])

    def ask(flow, node_id=None):
        (tmp_path / "flow.yaml").write_text(yaml.safe_dump(flow, sort_keys=False))
        opened, catalogue = project.open(tmp_path), discovery.find(Search((plugin,), only_places=True))
        node = graph(opened, catalogue).by_id[node_id] if node_id else None
        return {offer.component.id: offer for offer in offers(opened, catalogue, node)}

    return ask


FOLDERS = {"photos": "photos", "new": "new"}
TRAINED = {"recipe": "train", "inputs": {"image_folder": "photos"}, "outputs": {"model_output": "mine"}}
CHECKED = {"recipe": "check", "inputs": {"image_folder": "photos"}, "outputs": {"checked_dataset": "sure"}}
LABELLED = {
    "recipe": "label",
    "inputs": {"image_folder": "new", "model_folder": "mine"},
    "outputs": {"scored_dataset": "scored"},
}


def test_a_model_that_was_made_is_used_on_other_pictures(offered):
    found = offered({"folders": FOLDERS, "steps": [TRAINED]}, "folder:new")
    assert found["label"].inputs == {"image_folder": ["new"], "model_folder": ["mine"]}
    assert found["label"].outputs == {"scored_dataset": ["scored"], "review_dataset": ["review"]}
    assert found["train"].inputs == {"image_folder": ["new"]}
    on_model = offered({"folders": FOLDERS, "steps": [TRAINED]}, "folder:mine")
    assert on_model["label"].inputs == {"image_folder": ["new"], "model_folder": ["mine"]}
    assert next(iter(on_model)) in ("label", "check")


def test_what_was_made_from_the_same_goes_together(offered):
    flow = {"folders": FOLDERS, "steps": [TRAINED, CHECKED, LABELLED]}
    found = offered(flow, "dataset:scored")
    assert next(iter(found)) == "judge"
    assert found["judge"].inputs == {
        "scored_dataset": ["scored"], "image_folder": ["new"], "checked_dataset": ["sure"], "checked_folder": ["photos"]
    }  # fmt: skip
    on_photos = offered(flow, "folder:photos")
    assert "scored_dataset" not in on_photos["judge"].inputs  # it was made from other pictures
    assert on_photos["judge"].missing == ("scored_dataset",)
    assert list(on_photos)[-1] == "judge"


def test_names_are_new_and_nothing_is_guessed_between_equals(offered):
    flow = {"folders": FOLDERS, "datasets": {"scored": None}, "steps": []}
    found = offered(flow, "dataset:scored")
    assert list(found) == ["judge"]
    assert offered(flow)["label"].missing == ("image_folder",)
    assert offered(flow)["label"].outputs["scored_dataset"] == ["scored_2"]
    assert offered({"folders": {"scored": None}, "steps": []})["label"].outputs["scored_dataset"] == ["label_scored"]


def test_macros_fill_a_new_folder_or_take_the_one_that_they_are_started_from(offered):
    flow = {"folders": {"photos": "photos"}, "steps": []}
    assert offered(flow)["draw"].params == {"output_folder": "draw"}
    assert offered(flow)["draw"].creates == ("draw",)
    assert offered(flow, "folder:photos")["draw"].creates == ("photos",)
    drawn = {"macro": "draw", "creates": ["photos"], "params": {"output_folder": "photos"}}
    assert "draw" not in offered({**flow, "steps": [drawn]}, "folder:photos")
