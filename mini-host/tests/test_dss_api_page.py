"""docs/dss-api.md says of each name of the DSS API whether it is there; it must be so."""

import importlib
import inspect
import io
import re
from functools import cache
from pathlib import Path

import pytest

from minihost.dataiku_api import component_bases, modules
from minihost.dataiku_api.dss_names import ONLY_IN_DSS
from minihost.dataiku_api.missing_names import MissingName
from minihost.dataiku_api.unavailable import NotAvailable

PAGE = Path(__file__).parents[2] / "docs" / "dss-api.md"
pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="the page is in the checkout")


@cache
def tables():
    """Heading -> {name: there or stub}."""
    found, heading = {}, ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"### `(.+)`", line):
            heading = match[1]
            found[heading] = {}
        elif match := re.match(r"\| `(\w+)` \| (there|stub) \|", line):
            assert match[1] not in found[heading], f"{heading}.{match[1]} has two rows"
            found[heading][match[1]] = match[2]
    return found


def rows(heading, kind):
    return {name for name, here in tables()[heading].items() if here == kind}


@pytest.fixture
def objects(dss):
    now = dss({"first": ({"a": "string"}, [["1"]])}, {"out": None, "made/": {}}, {"folder/": {"/x": b"1"}})
    dataiku, client = now.dataiku, now.dataiku.api_client()
    project = client.get_default_project()
    dataset, folder, recipe = (
        project.get_dataset("first"),
        project.get_managed_folder("folder"),
        project.list_recipes()[0],
    )
    runnables = importlib.import_module("dataiku.runnables")
    return {
        "dataiku.Dataset": dataiku.Dataset("first"), "DatasetWriter": dataiku.Dataset("out").get_writer(),
        "dataiku.Folder": dataiku.Folder("made"), "ManagedFolderWriter": dataiku.Folder("made").get_writer("/y"),
        "ComputedMetrics": dataset.get_last_metric_values(), "dataiku.Project": dataiku.Project(),
        "ResultTable": runnables.ResultTable(), "dataiku.runnables.Runnable": runnables.Runnable("P", {}, {}),
        "DSSClient": client, "DSSInstanceInfo": client.get_instance_info(), "DSSPlugin": client.get_plugin("sample"),
        "DSSPluginSettings": client.get_plugin("sample").get_settings(),
        "DSSProjectSettings": project.get_settings(), "DSSProject": project, "DSSDataset": dataset,
        "DSSDatasetListItem": project.list_datasets()[0], "DSSDatasetSettings": dataset.get_settings(), "DSSManagedFolder": folder,
        "DSSManagedFolderSettings": folder.get_settings(), "DSSRecipe": recipe.to_recipe(), "DSSRecipeListItem": recipe,
        "DSSRecipeSettings": recipe.to_recipe().get_settings(),
        "dataiku.connector.Connector": component_bases.Connector({}),
        "dataiku.connector.CustomDatasetWriter": component_bases.CustomDatasetWriter(),
        "dataiku.exporter.Exporter": component_bases.Exporter({}),
        "dataiku.fsprovider.FSProvider": component_bases.FSProvider("/", {}),
        "dataiku.customformat.Formatter": component_bases.Formatter({}),
        "dataiku.customformat.OutputFormatter": component_bases.OutputFormatter(io.BytesIO()),
        "dataiku.customformat.FormatExtractor": component_bases.FormatExtractor(io.BytesIO()),
        "dataiku.cluster.Cluster": component_bases.Cluster(),
    }  # fmt: skip


def test_every_module_and_class_has_its_table(objects):
    assert set(tables()) == {
        *objects,
        modules.FLOW,
        *(name for name in modules.MODULES if name not in ("dataiku.base", "dataikuapi.dss")),
    }


def test_names_of_modules(dss):
    dss()
    for heading in set(tables()) & {*modules.MODULES, modules.FLOW}:
        module = importlib.import_module(heading)
        own = {name for name in module.__all__ if not inspect.ismodule(getattr(module, name))}
        assert rows(heading, "there") == own, heading
        assert rows(heading, "stub") == ONLY_IN_DSS.get(heading, set()), heading
        for name in rows(heading, "stub"):
            with pytest.raises(NotAvailable, match=rf"{heading}\.{name} is not available outside DSS"):
                getattr(module, name)()


def test_names_of_classes(objects):
    for heading, thing in objects.items():
        public = {name for name in [*dir(type(thing)), *vars(thing)] if not name.startswith("_")}
        public -= {name for name in dir(dict) if isinstance(thing, dict)}
        assert rows(heading, "there") == public, heading
        assert rows(heading, "stub") == ONLY_IN_DSS.get(heading, set()), heading
        for name in rows(heading, "stub"):
            assert not hasattr(thing, name)
            with pytest.raises(MissingName, match=rf"does not have {heading}\.{name}: it needs a DSS instance"):
                getattr(thing, name)


def test_modules_that_are_stubs(dss):
    dss()
    listed = set(re.findall(r"^- `([\w.]+)`$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert listed == {name for name in modules.STUBS if name not in modules.MODULES} | {"dataikuapi.dss"}
    for name in listed:
        with pytest.raises(NotAvailable, match=rf"{name}\.Anything is not available"):
            importlib.import_module(name).Anything()
