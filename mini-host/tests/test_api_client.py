"""`dataiku.api_client()` over the local project: section 12.5 and 13.6 of the contract."""

import io

import pytest

from minihost.dataiku_api.modules import MODULES
from minihost.errors import DataError


@pytest.fixture
def now(dss):
    return dss(
        {"first": ({"a": "string", "n": "int"}, [["1", 1], ["2", 2], ["3", None]])}, {"out": None}, {"folder/": {"/x": b"1"}},
        variables={"v": 1},
    )  # fmt: skip


@pytest.fixture
def project(now):
    return now.dataiku.api_client().get_project("PROJ")


def test_the_instance(now):
    client = now.dataiku.api_client()
    assert [one["projectKey"] for one in client.list_projects()] == ["PROJ"] == client.list_project_keys()
    assert client.get_default_project().project_key == "PROJ"
    assert client.list_code_envs() == []
    assert callable(client.list_messaging_channels)
    assert client.list_messaging_channels() == []
    assert {"authIdentifier", "groups"} <= set(client.get_auth_info())
    assert client.get_plugin("sample").get_settings().get_raw() == {"config": {}}
    assert client.get_instance_info().node_type == "DESIGN"


def test_other_projects_are_refused_with_the_exception_that_plugins_catch(now):
    from dataikuapi.utils import DataikuException

    client = now.dataiku.api_client()
    with pytest.raises(DataikuException, match="'ELSE' does not exist here"):
        client.get_project("ELSE")
    with pytest.raises(DataikuException, match="does not exist"):
        client.get_project("PROJ").get_managed_folder("nothing").get_definition()
    with pytest.raises(DataikuException, match="does not exist"):
        client.get_project("PROJ").get_dataset("nothing").get_definition()


def test_datasets(project):
    items = project.list_datasets()
    assert [item["name"] for item in items] == ["out", "first"]
    assert items[0].name == "out"
    assert items[1]["partitioning"] == {"dimensions": []}
    handle = project.get_dataset("first")
    assert handle.exists()
    assert not project.get_dataset("nothing").exists()
    assert handle.get_schema()["columns"][0] == {"name": "a", "type": "string"}
    assert list(handle.iter_rows())[0] == ["1", 1]
    assert [one.name for one in project.list_datasets(as_type="objects")] == ["out", "first"]
    assert handle.get_settings().get_raw()["name"] == "first"


def test_the_metrics_idiom(now, project):
    name = now.dataiku.Dataset("PROJ.first").short_name
    dataset = project.get_dataset(name)
    dataset.compute_metrics(metric_ids=["records:COUNT_RECORDS"])
    values = now.dataiku.Dataset("first").get_last_metric_values()
    data = values.get_global_data(metric_id="records:COUNT_RECORDS")
    assert now.dataiku.ComputedMetrics.get_value_from_data(data) == 3
    assert dataset.get_last_metric_values().get_global_value("records:COUNT_RECORDS") == 3
    assert values.get_partition_data(partition="NP", metric_id="records:COUNT_RECORDS") == data
    assert values.get_all_ids() == ["records:COUNT_RECORDS"]
    with pytest.raises(Exception, match="was not computed"):
        values.get_global_data("basic:COUNT_COLUMNS")


def test_folders(project):
    (item,) = project.list_managed_folders()
    assert (item["id"], item["name"]) == ("folder", "folder")
    handle = project.get_managed_folder("folder")
    assert handle.get_definition()["partitioning"] == {"dimensions": []}
    assert handle.get_definition()["params"]["path"]
    assert [one["path"] for one in handle.list_contents()["items"]] == ["/x"]
    handle.put_file("y", io.BytesIO(b"2"))
    assert handle.get_file("y").read() == b"2"
    with handle.get_file("/y") as answer:
        assert answer.raw.read() == b"2"
    handle.put_file("z.json", '{"a":\n1}')
    answer = handle.get_file("z.json")
    answer.raise_for_status()
    assert (answer.ok, answer.status_code) == (True, 200)
    assert (answer.content, answer.text, answer.json()) == (b'{"a":\n1}', '{"a":\n1}', {"a": 1})
    assert b"".join(handle.get_file("z.json").iter_content(3)) == answer.content
    assert list(handle.get_file("z.json").iter_lines()) == [b'{"a":', b"1}"]
    with pytest.raises(FileNotFoundError):
        handle.get_file("nothing")
    handle.delete_file("z.json")
    handle.delete_file("y")
    assert len(handle.list_contents()["items"]) == 1


def test_new_folders(dss):
    now = dss(kind="macro")
    project = now.dataiku.api_client().get_default_project()
    made = project.create_managed_folder("My models")
    now.dataiku.Folder(made.id).upload_data("x", b"1")
    assert [item["name"] for item in project.list_managed_folders()] == ["My models"]
    assert now.dataiku.Folder("My models").list_paths_in_partition() == ["/x"]
    with pytest.raises(Exception, match="exists already"):
        project.create_managed_folder("My models")
    assert "/" not in project.create_managed_folder("../out/side").id


def test_a_handle_may_be_made_before_the_thing(dss):
    """Outside recipes, as in DSS: a macro asks for the id, and creates the folder where that fails."""
    now = dss(kind="macro")
    folder, dataset = now.dataiku.Folder("Later"), now.dataiku.Dataset("PROJ.nothing", ignore_flow=True)
    assert (folder.name, folder.short_name, folder.full_name) == ("Later", "Later", "PROJ.Later")
    assert (dataset.short_name, dataset.full_name, dataset.read_partitions) == ("nothing", "PROJ.nothing", None)
    for use in (folder.get_id, folder.list_paths_in_partition, folder.get_path, dataset.read_schema):
        with pytest.raises(DataError, match="There is no (folder|dataset) '(Later|PROJ.nothing)' in this job"):
            use()
    now.dataiku.api_client().get_default_project().create_managed_folder("Later")
    folder.upload_data("x", b"1")
    assert (folder.get_id(), folder.list_paths_in_partition()) == ("Later", ["/x"])


def test_the_default_project_is_that_of_the_run(now):
    now.dataiku.set_default_project_key(now.dataiku.default_project_key())
    with pytest.raises(Exception, match="Project 'OTHER' does not exist here"):
        now.dataiku.set_default_project_key("OTHER")


def test_a_macro_takes_a_path_for_a_folder(dss):
    now = dss(kind="macro")
    now.dataiku.Folder("models/net").upload_data("x", b"1")
    now.session.release()
    assert (now.root / "models" / ".minihost-stage.net" / "files" / "x").exists()


def test_recipes_variables_and_settings(now, project):
    (recipe,) = project.list_recipes()
    assert recipe["name"] == "component"
    assert recipe["inputs"]["first_role"]["items"][0]["ref"] == "first"
    assert project.get_variables() == {"standard": {"v": 1}, "local": {}}
    project.set_variables({"standard": {"v": 2}, "local": {}})
    project.update_variables({"w": 3})
    assert now.dataiku.get_custom_variables()["v"] == "2"
    assert now.dataiku.get_custom_variables()["w"] == "3"
    with pytest.raises(ValueError, match="standard"):
        project.set_variables({})
    assert {"tags", "label"} <= set(project.get_metadata())
    assert project.get_settings().get_raw()["projectKey"] == "PROJ"
    assert project.get_summary()["projectKey"] == "PROJ"


def test_clearing_a_dataset_keeps_its_schema(dss):
    now = dss(outputs={"out": ({"a": "string"}, [["1"]])})
    now.dataiku.api_client().get_default_project().get_dataset("out").clear()
    assert now.rows("out") == []
    assert now.dataiku.Dataset("out").read_schema() == [{"name": "a", "type": "string"}]


def test_notes_of_a_dataset(project):
    handle = project.get_dataset("first")
    handle.set_metadata({"tags": ["t"], "checklists": {}, "custom": {}})
    assert handle.get_metadata()["tags"] == ["t"]
    handle.get_as_core_dataset()
    assert handle.list_partitions() == ["NP"]


def test_the_table_of_modules_names_what_exists():
    import importlib

    for source, names in MODULES.values():
        contents = importlib.import_module(source)
        for name in contents.__all__ if names is None else names:
            assert hasattr(contents, name) or name == "dku_flow_variables"


FIELDS = {"primary_keys": ["a"], "owner": "me"}


class TestCustomFields:
    def test_of_datasets(self, dss):
        now = dss({"first": ({"a": "string"}, [["1"]], {"customFields": FIELDS})}, {"out": None})
        handle = now.dataiku.api_client().get_default_project().get_dataset("first")
        dataset = now.dataiku.Dataset("first")
        assert dataset.get_config()["customFields"] == FIELDS == dataset.read_metadata()["customFields"]
        assert handle.get_definition()["customFields"] == FIELDS == handle.get_metadata()["customFields"]
        assert handle.get_settings().custom_fields == FIELDS == handle.get_settings().get_raw()["customFields"]
        assert now.dataiku.Dataset("out").get_config()["customFields"] == {}
        handle.get_definition()["customFields"]["owner"] = "you"
        assert dataset.get_config()["customFields"] == FIELDS

    def test_of_folders(self, dss):
        now = dss(others={"folder/": ({}, None, {"customFields": FIELDS})})
        folder = now.dataiku.api_client().get_default_project().get_managed_folder("folder")
        assert folder.get_definition()["customFields"] == FIELDS == folder.get_settings().custom_fields

    def test_saved_settings_count_for_the_run(self, dss):
        now = dss(outputs={"out": (None, None, {"customFields": FIELDS})})
        handle = now.dataiku.api_client().get_default_project().get_dataset("out")
        handle.set_schema({"columns": [{"name": "a", "type": "string"}]})
        settings = handle.get_settings()
        settings.custom_fields["owner"] = "you"
        settings.add_raw_schema_column({"name": "b", "type": "bigint"})
        assert (settings.type, settings.get_raw_params()["connection"]) == ("Filesystem", "filesystem_managed")
        settings.save()
        assert now.dataiku.Dataset("out").get_config()["customFields"]["owner"] == "you"
        assert [column["name"] for column in now.dataiku.Dataset("out").read_schema()] == ["a", "b"]


def test_who_runs_it_and_what_there_is_none_of(now, project):
    client = now.dataiku.api_client()
    assert client.get_auth_info_from_browser_headers({"Cookie": "x"}) == client.get_auth_info()
    assert client.list_users()[0]["login"] == client.get_auth_info()["authIdentifier"]
    assert client.list_connections()["filesystem_managed"]["type"] == "Filesystem"
    assert client.list_connections(as_type="listitems")[0].name == "filesystem_managed"
    assert project.get_permissions()["owner"] == client.list_users()[0]["login"]
    assert project.get_permissions()["permissions"] == []
    assert project.list_api_services() == [] == project.list_saved_models() == project.list_scenarios(as_type="objects")


def test_plugins(now, tmp_path):
    (tmp_path / "friend").mkdir()
    (tmp_path / "friend" / "plugin.json").write_text(
        '{"id": "friend", "version": "1.2.0", "meta": {"label": "Friend"}}'
    )
    now.job.plugins = {"friend": str(tmp_path / "friend"), "gone": str(tmp_path / "gone")}
    friend, gone = now.dataiku.api_client().list_plugins()
    assert (friend["id"], friend["version"], friend["meta"]) == ("friend", "1.2.0", {"label": "Friend"})
    assert (gone["id"], gone["version"]) == ("gone", "")


def test_settings_of_a_recipe(project):
    (item,) = project.list_recipes()
    settings = item.to_recipe().get_settings()
    assert settings.get_flat_input_refs() == ["first"]
    assert settings.get_flat_output_refs() == ["out"]
    assert settings.has_input("first")
    assert not settings.has_output("first")
    assert settings.type == "CustomCode_component" == settings.get_recipe_raw_definition()["type"]
    assert settings.get_recipe_params() == {}
    assert set(settings.get_recipe_inputs()) == {"first_role"}
    assert set(settings.get_recipe_outputs()) == {"out_role"}
    with pytest.raises(Exception, match="does not exist in the flow"):
        project.get_recipe("nothing").get_settings()
    (dataset, _) = project.list_datasets()
    assert (dataset.id, dataset.connection, dataset.to_dataset().name) == ("out", "filesystem_managed", "out")
    assert dataset.get_settings().schema_columns == []
