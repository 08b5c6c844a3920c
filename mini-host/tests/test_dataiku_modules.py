"""The packages `dataiku` and `dataikuapi` in memory: what can be imported, and what it answers."""

import datetime as dt
import importlib
import json
import subprocess
import sys

import pytest

from minihost.dataiku_api import modules
from minihost.dataiku_api.unavailable import NotAvailable

CONFIG = {"n": 1, "nested": {"list": [1]}}


@pytest.fixture
def now(dss):
    data = ({"a": "string"}, [["1"], ["2"]])
    return dss(
        {"first": data, "second": data}, {"out": None}, {"other": data, "folder/": {"/x": b"1"}},
        config=CONFIG, plugin_config={"key": "v"}, variables={"threshold": 3, "name": "x"},
    )  # fmt: skip


class TestCustomRecipe:
    def test_names_for_roles_are_full(self, now):
        from dataiku.customrecipe import get_input_names_for_role, get_output_names_for_role

        assert get_input_names_for_role("first_role") == ["PROJ.first"]
        assert get_input_names_for_role("first_role")[0].split(".")[1] == "first"
        assert get_output_names_for_role("out_role", full=False) == ["out"]
        assert get_input_names_for_role("nobody") == []

    def test_a_star_import_brings_everything(self, now):
        space = {}
        exec("from dataiku.customrecipe import *", space)
        assert space["get_input_names"]() == ["PROJ.first", "PROJ.second"]
        assert space["get_output_names"](full=False) == ["out"]
        assert space["get_plugin_config"]() == {"key": "v"}
        assert space["get_recipe_resource"]().endswith("plugin/resource")

    def test_the_configuration_is_a_copy(self, now):
        from dataiku.customrecipe import get_recipe_config

        get_recipe_config()["nested"]["list"].append(2)
        assert get_recipe_config() == CONFIG


class TestTop:
    def test_project_and_variables(self, now):
        dataiku = now.dataiku
        assert dataiku.default_project_key() == "PROJ"
        variables = dataiku.get_custom_variables()
        assert (variables["threshold"], variables["name"], variables["projectKey"]) == ("3", "x", "PROJ")
        assert variables["dip.home"].endswith("home")
        assert dataiku.get_custom_variables(typed=True)["threshold"] == 3
        assert dataiku.get_dss_settings()["features"] == []
        assert dataiku.get_flow_variables() == {} == dataiku.dku_flow_variables

    def test_flow(self, now):
        from dataiku.core.flow import FLOW

        assert FLOW["in"][0].get("partitions", [""]) == [""]
        assert FLOW["in"][0]["fullName"] == "PROJ.first"
        assert FLOW["out"][0]["role"] == "out_role"

    def test_libraries_of_other_plugins(self, now, tmp_path, monkeypatch):
        monkeypatch.setattr(sys, "path", list(sys.path))
        (tmp_path / "friend" / "python-lib").mkdir(parents=True)
        (tmp_path / "friend" / "python-lib" / "friendly_module_x.py").write_text("WORD = 'hi'")
        now.job.plugins = {"friend": str(tmp_path / "friend")}
        assert now.dataiku.import_from_plugin("friend", "friendly_module_x").WORD == "hi"
        with pytest.raises(Exception, match="'foe' is not installed here. Known: friend"):
            now.dataiku.use_plugin_libs("foe")

    def test_probing_for_what_is_not_there(self, now):
        assert not hasattr(now.dataiku, "get_plugin_resource")

    def test_a_project(self, now):
        assert now.dataiku.Project().get_variables()["standard"]["threshold"] == 3


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("dataiku.runnables", "Runnable"), ("dataiku.runnables", "ResultTable"), ("dataiku.connector", "Connector"),
        ("dataiku.customwebapp", "get_webapp_config"), ("dataiku.base.utils", "safe_exception"), ("dataiku.core.dkujson", "dumps"),
        ("dataiku.code_env_resources", "set_env_path"), ("dataikuapi.utils", "DataikuException"), ("dataiku.pandasutils", "audit"),
        ("dataiku.sql", "SelectQuery"), ("dataiku.sql", "JoinTypes"), ("dataiku.core.sql", "SQLExecutor2"),
        ("dataiku.core.plugin", "OAuthCredentials"), ("dataiku.doctor.posttraining.model_information_handler", "PredictionModelInformationHandler"),
        ("dataiku.core.intercom", "backend_json_call"), ("dataiku.core.model_provider", "get_model"), ("dataiku.core.base", "is_container_exec"),
        ("dataiku.core.schema_handling", "CASTERS"), ("dataiku", "Model"), ("dataiku", "SQLExecutor2"), ("dataiku", "Folder"),
        ("dataiku.core.dataset", "Dataset"), ("dataiku.exporter", "Exporter"), ("dataiku.fsprovider", "FSProvider"),
        ("dataiku.customformat", "Formatter"), ("dataiku.cluster", "Cluster"), ("dataiku.core", "default_project_key"),
        ("dataiku.core.schema_handling", "DKU_PANDAS_TYPES_MAP"), ("dataiku.core.dkujson", "DKUJSONEncoder"),
    ],
)  # fmt: skip
def test_everything_of_the_contract_can_be_imported(now, module, name):
    assert hasattr(importlib.import_module(module), name)


class TestBeyondTheHost:
    def test_calls_fail_clearly(self, now):
        from dataiku.sql import JoinTypes, SelectQuery

        with pytest.raises(NotAvailable, match=r"dataiku.sql.SelectQuery is not available outside DSS"):
            SelectQuery()
        assert repr([JoinTypes.LEFT]) == "[<dataiku.sql.JoinTypes.LEFT, not available outside DSS>]"
        with pytest.raises(NotAvailable, match=r"dataiku.sql.JoinTypes.LEFT"):
            JoinTypes.LEFT()
        with pytest.raises(NotAvailable, match=r"dataiku.Model"):
            now.dataiku.Model("x")

    def test_deriving_is_fine_until_the_call(self, now):
        from dataiku.doctor.anything import Thing

        class Mine(Thing):
            pass

        with pytest.raises(NotAvailable):
            Mine()

    def test_modules_that_nobody_knows_do_not_exist(self, now):
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("dataiku.nonsense")
        with pytest.raises(ImportError):
            exec("from dataiku import nonsense")


class TestSmallThings:
    def test_json_with_numpy(self, now):
        import numpy as np
        from dataiku.core import dkujson

        assert dkujson.loads(dkujson.dumps({"a": np.arange(2)})) == {"a": [0, 1]}
        values = {
            "a": np.int64(1),
            "b": np.float32(0.5),
            "c": np.array([1, 2]),
            "d": dt.datetime(2020, 1, 2),
            "e": np.bool_(1),
        }
        text = json.dumps(values, cls=dkujson.DKUJSONEncoder)
        assert json.loads(text) == {"a": 1, "b": 0.5, "c": [1, 2], "d": "2020-01-02T00:00:00", "e": True}

    def test_dtypes_of_storage_types(self, now):
        import numpy as np
        from dataiku.core import schema_handling

        assert schema_handling.DKU_PANDAS_TYPES_MAP["bigint"] is np.int64
        assert schema_handling.DKU_PANDAS_TYPES_MAP.get("string", np.object_) is np.object_
        with pytest.raises(NotAvailable, match="CASTERS is not available"):
            schema_handling.CASTERS()

    def test_exceptions_and_audit(self, now):
        import pandas as pd
        from dataiku import pandasutils as pdu
        from dataiku.base.utils import safe_exception

        assert safe_exception(ValueError("é")) == "é"
        audited = pdu.audit(pd.DataFrame({"a": [1, 1, None]}))
        assert audited.loc[0, ["_a_variable", "_c_cardinality", "_d_missings"]].tolist() == ["a", 1, 1]

    def test_environment_of_the_code_env(self, now, monkeypatch):
        import os

        from dataiku.code_env_resources import clear_all_env_vars, set_env_path

        set_env_path("MINIHOST_TEST_PATH", "models")
        assert os.environ["MINIHOST_TEST_PATH"] == os.path.abspath("models")
        clear_all_env_vars()
        assert "MINIHOST_TEST_PATH" not in os.environ

    def test_connectors_and_web_apps(self, now):
        from dataiku.connector import Connector
        from dataiku.customwebapp import get_webapp_config

        class Mine(Connector):
            def generate_rows(
                self, dataset_schema=None, dataset_partitioning=None, partition_id=None, records_limit=-1
            ):
                yield self.config

        assert Connector({"a": 1}).plugin_config == {}
        assert list(Mine({"a": 1}).generate_rows()) == [{"a": 1}]
        assert Mine({}).get_read_schema() is None
        assert Mine({}).get_connector_resource().endswith("resource")
        with pytest.raises(NotImplementedError, match=r"Mine has no method get_writer\("):
            Mine({}).get_writer()
        assert get_webapp_config() == CONFIG


def test_nothing_is_left_after_uninstalling(now):
    modules.uninstall()
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("dataiku")


def test_the_real_package_is_never_shadowed(tmp_path, monkeypatch):
    (tmp_path / "dataiku").mkdir()
    (tmp_path / "dataiku" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    with pytest.raises(modules.RealPackageFound, match="never takes the place of the real one"):
        modules.check_no_real_package()


def test_importing_the_host_makes_no_dataiku():
    code = "import minihost.dataiku_api.modules, importlib.util; assert importlib.util.find_spec('dataiku') is None"
    subprocess.run([sys.executable, "-c", code], check=True)
