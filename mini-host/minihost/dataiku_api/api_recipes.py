"""The recipes of the flow as `dataiku.api_client()` shows them: to read, not to change."""

from __future__ import annotations

import copy
from typing import Any

from minihost.dataiku_api import session
from minihost.dataiku_api.api_settings import Item, refusal
from minihost.dataiku_api.missing_names import Telling


class RecipeItem(Item):
    """An item of `list_recipes`."""

    _dss_name = "DSSRecipeListItem"

    @property
    def id(self):
        """The recipe's id: its name."""
        return self["name"]

    def to_recipe(self):
        """Return a handle on the recipe."""
        return RecipeHandle(self["projectKey"], self["name"])


class RecipeHandle(Telling):
    """A recipe of the flow."""

    _dss_name = "DSSRecipe"

    def __init__(self, project_key: str, name: str) -> None:
        self.project_key = project_key
        self.recipe_name = self.name = self.id = name

    def get_settings(self):
        """Return what the recipe reads, writes and is told; raises when the flow has no such recipe."""
        for recipe in recipes():
            if recipe["name"] == self.name:
                return RecipeSettings(recipe)
        raise refusal(f"Recipe {self.project_key}.{self.name} does not exist in the flow.")


class RecipeSettings(Telling):
    """The settings of a recipe."""

    _dss_name = "DSSRecipeSettings"

    def __init__(self, raw: dict[str, Any]) -> None:
        self.recipe_settings = raw

    @property
    def type(self):
        """The type: `CustomCode_` and the component."""
        return self.recipe_settings["type"]

    def get_recipe_raw_definition(self):
        """Return the definition as a dict."""
        return self.recipe_settings

    def get_recipe_params(self):
        """Return the parameters: `{"customConfig": …}`."""
        return self.recipe_settings["params"]

    def get_recipe_inputs(self):
        """Return what fills the input roles: `{role: {"items": [{"ref": …}]}}`."""
        return self.recipe_settings["inputs"]

    def get_recipe_outputs(self):
        """Return what fills the output roles: `{role: {"items": [{"ref": …}]}}`."""
        return self.recipe_settings["outputs"]

    def get_flat_input_refs(self):
        """Return the names of all inputs."""
        return _refs(self.recipe_settings["inputs"])

    def get_flat_output_refs(self):
        """Return the names of all outputs."""
        return _refs(self.recipe_settings["outputs"])

    def has_input(self, input_ref):
        """Tell whether a dataset or folder is an input."""
        return input_ref in self.get_flat_input_refs()

    def has_output(self, output_ref):
        """Tell whether a dataset or folder is an output."""
        return output_ref in self.get_flat_output_refs()


def recipes() -> list[dict[str, Any]]:
    """Return the recipes of the flow, and the one that runs where it is not among them."""
    job = session.current().job
    found = copy.deepcopy(job.recipes)
    if job.kind == "recipe":
        running = _running(job)
        same = ("type", "inputs", "outputs")
        if not any(all(one[key] == running[key] for key in same) for one in found):
            found.append(running)
    return found


def _running(job: Any) -> dict[str, Any]:
    roles: dict[str, dict[str, Any]] = {"inputs": {}, "outputs": {}}
    for side, references in (("inputs", job.inputs), ("outputs", job.outputs)):
        for reference in references:
            items = roles[side].setdefault(reference.role, {"items": []})["items"]
            items.append(
                {"ref": reference.name, "deps": []}
                if side == "inputs"
                else {"ref": reference.name, "appendMode": False}
            )
    return {
        "projectKey": job.project_key,
        "name": job.component_id,
        "type": f"CustomCode_{job.component_id}",
        **roles,
        "params": {},
    }


def _refs(roles: dict[str, Any]) -> list[str]:
    return [item["ref"] for role in roles.values() for item in role["items"]]
