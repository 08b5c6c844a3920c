"""Runs whose inputs and outputs lie in buckets: complete or as they were, with secrets nowhere but in the environment."""

import os
import signal
import subprocess
import sys
import time

import fsspec
import pytest
from checkout import HOST
from component_plugins import role, write_components
from one_recipe import ROWS

from minihost.cli import main
from minihost.datasets.remote import fetched
from minihost.errors import ComponentFailed, DataError, JobError
from minihost.folders import open_folder
from minihost.job import Job, Reference
from minihost.runs import remote_data

pytestmark = pytest.mark.network
PEOPLE = b"name;age\nAda;36\nAlan;41\n"
COPY_FOLDER = """
import dataiku
from dataiku.customrecipe import *
source = dataiku.Folder(get_input_names_for_role("in")[0])
target = dataiku.Folder(get_output_names_for_role("out")[0])
print("before:", target.list_paths_in_partition())
for path in source.list_paths_in_partition():
    with source.get_download_stream(path) as stream:
        target.upload_stream(path, stream.read().upper())
target.delete_path("/old.txt")
print("after:", target.list_paths_in_partition())
"""
FOLDERS = {"inputs": [role("in", folder=True)], "outputs": [role("out", folder=True)]}


@pytest.fixture
def people(bucket):
    bucket["people.csv"] = PEOPLE
    return bucket


@pytest.fixture
def photos(bucket):
    bucket.put(**{"in/a.txt": b"a", "in/deep/b.txt": b"b", "out/old.txt": b"old", "out/kept.txt": b"kept"})
    return bucket


def copy(made, source, target, **more):
    return made.run("do", inputs={"in": source}, outputs={"out": target}, **more)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_datasets(project, people, ending):
    target = people.url(f"results/done.{ending}")
    done = copy(project(), people.url("people.csv"), target, in_process=ending == "parquet")
    assert ending == "parquet" or "people.csv: read as semicolon-separated" in done.log
    wanted = ["results/done.csv", "results/done.schema.json"] if ending == "csv" else ["results/done.parquet"]
    assert list(people.content()) == ["people.csv", *wanted]
    assert done.rows(target) == [{"name": "Ada", "age": "36"}, {"name": "Alan", "age": "41"}]
    assert [column["type"] for column in done.schema(target)] == ["string", "string"]


def test_types_are_kept_on_the_way_there_and_back(project, bucket):
    made = project()
    copy(made, "rows", bucket.url("a.csv"), in_process=True)
    copy(made, bucket.url("a.csv"), bucket.url("b.parquet"), in_process=True)
    done = copy(made, bucket.url("b.parquet"), "back", in_process=True)
    assert done.rows("back") == ROWS
    assert done.schema("back")[0]["type"] == "bigint"


def test_folders(project, photos):
    done = copy(project(COPY_FOLDER, **FOLDERS), photos.url("in"), photos.url("out/"))
    assert "before: ['/kept.txt', '/old.txt']" in done.log
    assert "after: ['/a.txt', '/deep/b.txt', '/kept.txt']" in done.log
    assert done.files(photos.url("out")) == {"/a.txt": b"A", "/deep/b.txt": b"B", "/kept.txt": b"kept"}
    assert photos.unfinished() == []


def test_a_run_with_local_paths_loads_no_library_of_a_storage(project):
    code = "import sys\nprint(sorted({'fsspec', 's3fs', 'botocore', 'minihost.folders.storage'} & sys.modules.keys()))"
    done = project(code, outputs=[]).run("do", inputs={"in": "rows"})
    assert done.log == "[]\n"


def test_a_folder_has_no_local_path(project, photos):
    code = 'import dataiku\ndataiku.Folder("in").get_path()\n'
    with pytest.raises(ComponentFailed, match="not on the local disk"):
        copy(project(code, **FOLDERS), photos.url("in"), "out", in_process=True)


def test_memory_is_seen_by_the_run_and_by_the_test(project):
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/box/in/a.txt", b"a")
    memory.pipe_file("/box/out/old.txt", b"old")
    memory.pipe_file("/box/people.csv", b"name\nAda\n")
    copy(project(COPY_FOLDER, **FOLDERS), "memory://box/in", "memory://box/out")
    assert {path: memory.cat_file(path) for path in memory.find("/box/out")} == {"/box/out/a.txt": b"A"}
    copy(project(), "memory://box/people.csv", "memory://box/done.csv")
    assert memory.cat_file("/box/done.csv") == b"name\nAda\n"


def test_every_mistake_is_told_before_anything_starts(project, bucket):
    code = "raise SystemExit('it was started')"
    made = project(code, inputs=[role("in"), role("in2", required=False)])
    with pytest.raises(JobError) as caught:
        made.run(
            "do",
            inputs={"in": bucket.url("missing.csv"), "in2": "s3://no-such-bucket/a.csv"},
            outputs={"out": "https://host/a.csv"},
        )
    first, second, third = caught.value.mistakes
    assert f"Input in (missing): Bucket '{bucket.name}', key 'missing.csv'" in first
    assert "does not exist" in first
    assert "Bucket 'no-such-bucket'" in second
    assert "no such bucket" in second
    assert "nothing that is installed opens 'https://host/a.csv'" in third
    assert not list((made.root / ".minihost" / "jobs").iterdir())


def test_a_component_that_swallows_a_failure_of_its_storage_fails_all_the_same(project, photos, proxy):
    code = """
    import dataiku
    for path in dataiku.Folder("in").list_paths_in_partition():
        try:
            dataiku.Folder("in").get_download_stream(path).read()
        except Exception as err:
            print("unreadable:", err)
    dataiku.Folder("out").upload_data("/report.txt", b"done")
    """
    proxy.fail(lambda method, path: method == "GET" and "in/a.txt" in path, (500, "InternalError"))
    made = project(code, **FOLDERS)
    made.project.flow.folders["in"] = {"path": photos.url("in"), "options": proxy.options}
    before = photos.content()
    with pytest.raises(ComponentFailed, match="500 InternalError"):
        copy(made, "in", photos.url("out"), in_process=True)
    assert photos.content() == before


def test_outputs_that_cannot_be_sent_leave_everything_as_it_was(project, photos, proxy):
    proxy.fail(lambda method, path: method == "PUT" and "deep" in path, (503, "SlowDown"))
    made = project(COPY_FOLDER + "dataiku.Dataset('table').write_with_schema(dataiku.Dataset('rows').get_dataframe())",
                   inputs=[*FOLDERS["inputs"], role("rows")], outputs=[*FOLDERS["outputs"], role("table")])  # fmt: skip
    made.project.flow.folders["target"] = {"path": photos.url("out"), "options": proxy.options}
    before = photos.content()
    with pytest.raises(DataError, match=r"503 SlowDown.* What the run made is kept in ") as caught:
        made.run(
            "do",
            inputs={"in": photos.url("in"), "rows": "rows"},
            outputs={"out": "target", "table": "table"},
            in_process=True,
        )
    assert photos.content() == before
    assert photos.unfinished() == []
    assert not (made.root / "datasets" / "table.csv").exists()
    kept = str(caught.value).rpartition("is kept in ")[2].rstrip(".")
    with open(f"{kept}/files/deep/b.txt") as stream:
        assert stream.read() == "B"


def test_a_failed_component_leaves_everything_as_it_was(project, photos):
    before = photos.content()
    made = project(COPY_FOLDER + "raise SystemExit('on purpose')", **FOLDERS)
    with pytest.raises(ComponentFailed, match="on purpose"):
        copy(made, photos.url("in"), photos.url("out"), in_process=True)
    assert photos.content() == before


def test_a_cache_is_written_at_once(project, photos):
    code = """
    import dataiku
    dataiku.Folder("out").upload_data("/a.txt", b"a")
    raise SystemExit("on purpose")
    """
    made = project(code, **FOLDERS)
    made.project.flow.folders["out"] = {"path": photos.url("out"), "in_place": True}
    with pytest.raises(ComponentFailed, match="on purpose"):
        copy(made, photos.url("in"), "out", in_process=True)
    assert photos.content()["out/a.txt"] == b"a"


@pytest.mark.parametrize("target", ["target", "table"])
def test_an_output_that_may_not_be_written_is_refused_before_anything_starts(project, bucket, proxy, target):
    made = project("raise SystemExit('it was started')", inputs=[], outputs=[role("out", folder=target == "target")])
    proxy.fail(lambda method, _path: method == "POST", (403, "AccessDenied"))
    made.project.flow.folders["target"] = {"path": bucket.url("out"), "options": proxy.options}
    made.project.flow.datasets["table"] = {"path": bucket.url("out.csv"), "options": proxy.options}
    with pytest.raises(JobError, match=r"Output out \(.*\): Bucket .* access is denied"):
        made.run("do", outputs={"out": target})
    assert bucket.unfinished() == []


def test_an_interrupt_while_files_are_sent_leaves_everything_as_it_was(tmp_path, photos, proxy):
    recipe = ({"inputRoles": FOLDERS["inputs"], "outputRoles": FOLDERS["outputs"]}, COPY_FOLDER)
    write_components(tmp_path / "plugin", {"do": recipe})
    proxy.fail(lambda method, path: method == "PUT" and "deep" in path, "silence")
    before = photos.content()
    roles = ["-i", f"in={photos.url('in')}", "-o", f"out={photos.url('out')}"]
    command = [sys.executable, "-m", "minihost", "run", "do", "--plugin", "plugin", *roles]
    environment = {**os.environ, "AWS_ENDPOINT_URL": proxy.url, "PYTHONPATH": str(HOST)}
    started = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    while not any(method == "PUT" and "deep" in path for method, path in proxy.requests):
        assert started.poll() is None, started.stderr.read()
        time.sleep(0.05)
    started.send_signal(signal.SIGTERM)
    _out, said = started.communicate(timeout=60)
    assert started.returncode == 130
    assert "Traceback" not in said
    assert photos.content() == before
    assert photos.unfinished() == []


def test_the_command_refuses_outputs_that_would_end_with_it(project, monkeypatch, capsys):
    made = project()
    monkeypatch.chdir(made.root)
    command = [
        "run",
        "do",
        "--plugin",
        str(made.plugins[0]),
        "-i",
        "in=datasets/rows.csv",
        "-o",
        "out=memory://b/a.csv",
    ]
    assert main(command) == 2
    assert "Output out: memory:// ends with this command" in capsys.readouterr().err


def test_a_table_of_somebody_that_was_read_is_not_replaced_unasked(project, people, capsys, monkeypatch):
    made = project()
    monkeypatch.chdir(made.root)
    command = ["run", "do", "--plugin", str(made.plugins[0]), "-q", "-i", f"in={people.url('people.csv')}", "-o"]
    assert main([*command, "out=read.csv"]) == 0
    assert main([*command, f"out={people.url('people.csv')}"]) == 2
    assert "add --overwrite to replace it" in capsys.readouterr().err
    assert people.content() == {"people.csv": PEOPLE}


def test_a_code_environment_without_the_packages_gets_copies(photos, people, tmp_path):

    folder = Reference("in", "MANAGED_FOLDER", "in", "P", photos.url("in"))
    dataset = Reference("rows", "DATASET", "rows", "P", people.url("people.csv"))
    other = Reference("", "MANAGED_FOLDER", "other", "P", photos.url("out"))
    job = Job("p", str(tmp_path), "c", "recipe", "", "P", str(tmp_path), str(tmp_path / "work"))
    job.inputs, job.others = [folder, dataset], [other]
    seen = remote_data.for_child(job, tmp_path, str(tmp_path / "env" / "bin" / "python"))
    assert open_folder(seen.inputs[0]).paths() == ["/a.txt", "/deep/b.txt"]
    assert seen.inputs[0].path == photos.url("in")
    (tmp_path / "stop").mkdir()
    assert list(fetched(seen.inputs[1], tmp_path / "stop").text_rows()) == [["Ada", "36"], ["Alan", "41"]]
    assert not list((tmp_path / "stop").iterdir())
    assert seen.others == [other]
    assert remote_data.original(seen.inputs[0].__dict__) == folder
    assert remote_data.for_child(job, tmp_path, None) == job
