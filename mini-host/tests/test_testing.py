"""The fixture that authors of plugins get."""

import pandas as pd
import pytest
from component_plugins import role, write_components

from minihost.errors import JobError

RECIPE = """
import dataiku
from dataiku.customrecipe import *
rows, folder = dataiku.Dataset("rows"), dataiku.Folder("pictures")
print(get_recipe_config(), get_plugin_config(), dataiku.get_custom_variables()["v"])
out = dataiku.Dataset(get_output_names_for_role("out")[0])
out.write_with_schema(rows.get_dataframe(infer_with_pandas=False))
for name in get_output_names_for_role("files"):
    dataiku.Folder(name).upload_data("x", folder.get_download_stream("a").read())
"""


@pytest.fixture
def plugin(tmp_path):
    descriptor = {
        "inputRoles": [role("rows"), role("pictures", folder=True)],
        "outputRoles": [role("out"), role("files", folder=True, required=False)],
        "params": [{"name": "n", "type": "INT", "defaultValue": 3}],
    }
    return write_components(
        tmp_path / "plugin", {"do": (descriptor, RECIPE)}, params=[{"name": "key", "type": "STRING"}]
    )


@pytest.mark.parametrize("in_process", [False, True])
def test_datasets_folders_log_and_result(minihost_project, plugin, in_process):
    frame = pd.DataFrame(
        {"text": ["007", None], "n": [1, 2], "x": [0.5, None], "when": pd.to_datetime(["2020-01-02", None])}
    )
    project = minihost_project(
        plugin=plugin, datasets={"rows": frame}, folders={"pictures": {"/a": b"1"}}, variables={"v": 9}
    )
    done = project.run(
        "do",
        inputs={"rows": "rows", "pictures": "pictures"},
        outputs={"out": "copied", "files": ["written"]},
        settings={"key": "k"},
        in_process=in_process,
    )
    assert "{'n': 3} {'key': 'k'} 9" in done.log
    assert [row["text"] for row in done.rows("copied")] == ["007", None]
    assert done.schema("copied")[3] == {"name": "when", "type": "date"}
    assert done.frame("copied")["n"].tolist() == [1, 2]
    assert done.files("written") == {"/x": b"1"}
    assert done.answer is None


def test_rows_and_columns_become_datasets(minihost_project, plugin):
    project = minihost_project(plugin=plugin, datasets={"rows": [{"a": 1, "b": [1.5]}, {"a": None, "c": {"k": True}}]})
    assert project.rows("rows") == [{"a": 1, "b": "[1.5]", "c": None}, {"a": None, "b": None, "c": '{"k": true}'}]
    assert [column["type"] for column in project.table("rows").columns()] == ["bigint", "array", "object"]
    project.add_dataset("columns", {"a": ["1", "2"], "b": [1, 2.5]}, types={"a": "bigint"}, format="parquet")
    assert project.rows("columns") == [{"a": 1, "b": 1.0}, {"a": 2, "b": 2.5}]


def test_plans_and_mistakes(minihost_project, plugin):
    project = minihost_project(plugin=plugin, datasets={"rows": [{"a": 1}]})
    with pytest.raises(JobError, match="'pictures' is empty") as caught:
        project.run("do", inputs={"rows": "rows"}, outputs={"out": "o"}, params={"n": "x"})
    assert len(caught.value.mistakes) == 2


def test_files_and_folders_of_the_author_are_copied(minihost_project, plugin, tmp_path):
    (tmp_path / "people.csv").write_text("code,n\n007,1\n")
    (tmp_path / "people.schema.json").write_text('{"columns": [{"name": "code"}, {"name": "n", "type": "bigint"}]}')
    (tmp_path / "plain.csv").write_text("a;b\n1;2\n")
    (tmp_path / "pictures" / "sub").mkdir(parents=True)
    (tmp_path / "pictures" / "sub" / "a").write_bytes(b"1")
    project = minihost_project(
        plugin=plugin,
        datasets={"rows": tmp_path / "people.csv", "plain": tmp_path / "plain.csv"},
        folders={"pictures": tmp_path / "pictures"},
    )
    assert project.rows("rows") == [{"code": "007", "n": 1}]
    assert project.rows("plain") == [{"a": "1", "b": "2"}]
    assert project.files("pictures") == {"/sub/a": b"1"}
    assert project.folder("pictures") != tmp_path / "pictures"
    with pytest.raises(JobError, match="'more': there is no file or folder .*/no.csv"):
        project.add_dataset("more", tmp_path / "no.csv")


def test_undeclared_parameters_are_passed_on_with_a_warning(minihost_project, plugin):
    project = minihost_project(plugin=plugin, datasets={"rows": [{"a": 1}]}, folders={"pictures": {"/a": b"1"}})
    roles = {"inputs": {"rows": "rows", "pictures": "pictures"}, "outputs": {"out": "copied"}}
    project.project.flow.variables["v"] = 1
    with pytest.warns(UserWarning, match="There is no parameter 'm'"):
        assert "'m': 4" in project.run("do", **roles, params={"m": 4}).log


@pytest.mark.parametrize(
    ("types", "said"),
    [
        ({"agee": "int"}, "types of 'people': there is no column 'agee'. Did you mean 'age'?"),
        ({"age": "integer"}, "types of 'people': 'age' is 'integer', which is no storage type. Did you mean 'int'"),
    ],
)
def test_types_that_do_not_fit(minihost_project, plugin, types, said):
    with pytest.raises(JobError, match=said):
        minihost_project(plugin=plugin).add_dataset("people", [{"age": 1}], types=types)


def test_a_plugin_that_is_not_there(minihost_project):
    with pytest.raises(JobError, match="There is no plugin at nowhere: no such folder or zip"):
        minihost_project(plugin="nowhere")
