"""What a component is told that uses a name which the mini-host does not have."""

import copy
import importlib
import inspect
import pickle
from abc import ABC
from unittest import mock

import pytest

from minihost.dataiku_api.missing_names import MissingModule, MissingName

HERE = r"\(mini-host/tests/test_missing_names.py, line \d+\)"


@pytest.fixture
def now(dss):
    return dss({"first": ({"a": "string"}, [["1"]])}, {"out": None, "folder/": {}})


class TestAttributes:
    def test_a_misspelt_method_gets_a_suggestion_and_the_line(self, now):
        with pytest.raises(MissingName) as caught:
            now.dataiku.Dataset("first").get_dataframes()
        assert str(caught.value).startswith(
            "The mini-host does not have dataiku.Dataset.get_dataframes. Did you mean 'get_dataframe'? "
            "(mini-host/tests/test_missing_names.py"
        )
        assert caught.value.for_user

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            (lambda api: api.Folder("folder").get_download_streams, r"dataiku.Folder.get_download_streams. Did you mean 'get_download_stream'\?"),
            (lambda api: api.Folder("folder").frobnicate, "If DSS has it, run this part in DSS; the names that are here: clear, "),
            (lambda api: api.Folder.list_paths_in_partitions, "Did you mean 'list_paths_in_partition'"),
            (lambda api: api.api_client().list_user, "DSSClient.list_user. Did you mean 'list_users'"),
            (lambda api: api.api_client().get_user, "DSSClient.get_user: it needs a DSS instance. Run this part in DSS"),
            (lambda api: api.api_client().get_default_project().create_recipe, "needs a DSS instance. On the mini-host: a step in flow.yaml"),
            (lambda api: api.api_client().get_default_project().get_dataset("first").build, "On the mini-host: minihost build"),
            (lambda api: api.api_client().get_default_project().list_datasets()[0].nam, "DSSDatasetListItem.nam. Did you mean 'name'"),
            (lambda api: api.api_client().get_default_project().get_dataset("first").get_settings().save_all, "DSSDatasetSettings.save_all"),
            (lambda api: api.Dataset("out").get_writer().write_rows, "DatasetWriter.write_rows"),
            (lambda api: api.Dataset("first").read_schema().columns, r"have Schema.columns. .*\(mini-host/tests/test_missing_names.py"),
            (lambda api: api.get_custom_variable, "dataiku.get_custom_variable. Did you mean 'get_custom_variables'"),
        ],
    )  # fmt: skip
    def test_everything_tells(self, now, wrong, message):
        with pytest.raises(MissingName, match=message):
            wrong(now.dataiku)

    def test_probing_works(self, now):
        dataset, client = now.dataiku.Dataset("first"), now.dataiku.api_client()
        assert not hasattr(dataset, "to_html")
        assert not hasattr(dataset.__class__, "to_html")
        assert getattr(client, "create_project", None) is None
        assert callable(getattr(client, "list_messaging_channels", None))
        assert not hasattr(now.dataiku, "get_plugin_resource")
        assert "use_nullable_integers" in inspect.signature(dataset.get_dataframe).parameters
        assert list(inspect.signature(now.dataiku.Dataset).parameters) == ["name", "project_key", "ignore_flow"]
        assert mock.create_autospec(now.dataiku.Dataset).read_schema is not None

    @pytest.mark.parametrize(
        "name", ["__array__", "_repr_html_", "_ipython_canary_method_should_not_exist_", "_private"]
    )
    def test_private_names_are_plain_errors(self, now, name):
        for thing in (now.dataiku.Dataset("first"), now.dataiku.Dataset, now.dataiku, now.dataiku.api_client()):
            with pytest.raises(AttributeError) as caught:
                getattr(thing, name)
            assert type(caught.value) is AttributeError

    def test_copies_and_pickles_belong_to_the_same_session(self, now):
        dataset = now.dataiku.Dataset("first")
        for other in (copy.copy(dataset), copy.deepcopy(dataset), pickle.loads(pickle.dumps(dataset))):
            assert other.read_schema() == dataset.read_schema()
            assert other._session is now.session
        item = now.dataiku.api_client().get_default_project().list_datasets()[0]
        assert copy.deepcopy(item) == item == pickle.loads(pickle.dumps(item))
        error = pickle.loads(pickle.dumps(MissingName("text")))
        assert str(error) == "text"

    def test_components_may_derive(self, now):
        class Mine(now.dataiku.Dataset, ABC):
            def mine(self):
                return self.short_name

        assert Mine("first").mine() == "first"
        with pytest.raises(MissingName, match="Did you mean 'mine'"):
            Mine("first").minee()


class TestModules:
    @pytest.mark.parametrize(
        ("code", "message"),
        [
            ("import dataiku.pandasutil", rf"dataiku.pandasutil. Did you mean 'pandasutils'\? {HERE}"),
            ("from dataiku import Datasets", r"dataiku.Datasets. Did you mean 'Dataset'\?"),
            ("from dataiku.core.dkujson import dumpes", "dataiku.core.dkujson.dumpes. Did you mean 'dumps'"),
            ("from dataiku.customrecipe import get_input_names_for_roles", "Did you mean 'get_input_names_for_role'"),
            ("from dataikuapi.utils import DataikuExceptions", "Did you mean 'DataikuException'"),
            ("from dataiku.core.flow import FLOWS", "Did you mean 'FLOW'"),
            ("import dataiku.core.nonsense", "dataiku.core.nonsense. If DSS has it, run this part in DSS"),
        ],
    )
    def test_imports_tell(self, now, code, message):
        with pytest.raises(MissingModule, match=message) as caught:
            exec(compile(code, __file__, "exec"))
        assert isinstance(caught.value, ImportError)

    def test_the_line_is_that_of_the_component(self, now):
        with pytest.raises(MissingModule, match=HERE):
            importlib.import_module("dataiku.pandasutil")

    def test_what_a_stub_brings_with_a_star(self, now):
        names = {}
        exec("from dataiku.customstep import *", names)
        with pytest.raises(
            NotImplementedError, match="dataiku.customstep.get_step_config is not available outside DSS"
        ):
            names["get_step_config"]()

    def test_exceptions_of_stubs_can_be_caught(self, now):
        from dataiku.scenario import TriggerError

        def fail():
            try:
                raise KeyError("mine")
            except TriggerError:
                return

        with pytest.raises(KeyError, match="mine"):
            fail()

    def test_what_to_use_instead(self, now):
        with pytest.raises(NotImplementedError, match=rf"On the mini-host: dataiku.api_client\(\) .*{HERE}"):
            importlib.import_module("dataikuapi").DSSClient("host", "key")


def test_the_sentence_is_all_that_a_user_sees(project):
    run = project("import dataiku\ndataiku.Dataset('rows').get_dataframes()").run
    with pytest.raises(Exception, match=r"Did you mean 'get_dataframe'\? \(custom-recipes/do/recipe.py, line 2\)$"):
        run("do", inputs={"in": "rows"}, outputs={"out": "made"})
