"""The project of the job as `dataiku.api_client()` shows it."""

from __future__ import annotations

import copy

from minihost.dataiku_api import session
from minihost.dataiku_api.api_handles import DatasetHandle, DatasetItem, FolderHandle
from minihost.dataiku_api.api_recipes import RecipeHandle, RecipeItem, recipes
from minihost.dataiku_api.api_settings import Item, ProjectSettings
from minihost.dataiku_api.missing_names import Telling
from minihost.dataiku_api.user_name import login


class Project(Telling):
    """The local project."""

    _dss_name = "DSSProject"

    def __init__(self, project_key: str) -> None:
        self.project_key = project_key

    def get_summary(self):
        """Return the project in short."""
        return {"projectKey": self.project_key, "name": self.project_key, "tags": [], "shortDesc": ""}

    def list_datasets(self, as_type="listitems", include_shared=False):
        """Return the datasets: their definitions, or handles for `as_type="objects"`."""
        names = [reference.name for reference in session.current().everything(session.DATASET)]
        if as_type == "objects":
            return [self.get_dataset(name) for name in names]
        return [DatasetItem(self.get_dataset(name).get_definition()) for name in names]

    def get_dataset(self, dataset_name):
        """Return a handle on a dataset; it need not exist."""
        return DatasetHandle(self.project_key, dataset_name)

    def list_managed_folders(self):
        """Return the managed folders: their definitions."""
        found = session.current().everything(session.FOLDER)
        return [Item(FolderHandle(self.project_key, reference.name).get_definition()) for reference in found]

    def get_managed_folder(self, odb_id):
        """Return a handle on a managed folder, by its id."""
        return FolderHandle(self.project_key, odb_id)

    def create_managed_folder(self, name, folder_type=None, connection_name="filesystem_folders"):
        """Make a managed folder and return a handle on it; raises when there is one of that name."""
        reference = session.current().create(session.FOLDER, name)
        return FolderHandle(self.project_key, reference.name)

    def list_recipes(self, as_type="listitems"):
        """Return the recipes of the flow, and the one that runs where it is not among them."""
        return [RecipeItem(recipe) for recipe in recipes()]

    def get_recipe(self, recipe_name):
        """Return a handle on a recipe of the flow; it need not exist."""
        return RecipeHandle(self.project_key, recipe_name)

    def list_api_services(self, as_type="listitems"):
        """Return the API services: none."""
        return []

    def list_saved_models(self, as_type="listitems"):
        """Return the saved models: none."""
        return []

    def list_scenarios(self, as_type="listitems"):
        """Return the scenarios: none."""
        return []

    def list_webapps(self, as_type="listitems"):
        """Return the web apps made in the project: none; those of plugins are served by `minihost webapp`."""
        return []

    def list_dashboards(self, as_type="listitems"):
        """Return the dashboards: none."""
        return []

    def list_knowledge_banks(self, as_type="listitems"):
        """Return the knowledge banks: none."""
        return []

    def list_model_evaluation_stores(self, as_type="listitems"):
        """Return the model evaluation stores: none."""
        return []

    def get_permissions(self):
        """Return who may do what: the user is the owner, and nobody else has a part."""
        return {"owner": login(), "permissions": [], "additionalDashboardUsers": {"users": []}}

    def get_variables(self):
        """Return the variables: `{"standard": …, "local": …}`."""
        return copy.deepcopy(session.current().variables)

    def set_variables(self, obj):
        """Replace the variables, for as long as the run lasts."""
        if not isinstance(obj, dict) or "standard" not in obj or "local" not in obj:
            raise ValueError("Variables are a dict with the keys 'standard' and 'local'.")
        session.current().variables = copy.deepcopy(obj)

    def update_variables(self, variables, type="standard"):
        """Change some variables, for as long as the run lasts."""
        session.current().variables[type].update(copy.deepcopy(variables))

    def get_metadata(self):
        """Return the notes kept with the project."""
        return {
            "label": self.project_key,
            "tags": [],
            "shortDesc": "",
            "checklists": {"checklists": []},
            "customFields": {},
        }

    def get_settings(self):
        """Return the settings of the project."""
        return ProjectSettings(
            {
                "projectKey": self.project_key,
                "settings": {},
                "metrics": {},
                "bundleContainerSettings": {},
                "exposedObjects": {"objects": []},
            }
        )
