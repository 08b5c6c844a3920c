"""Macros: progress, results of every kind, folders that they make."""

import io
import json
import os
from pathlib import Path

import pytest
from component_plugins import role
from one_recipe import PRINT

from minihost.errors import ComponentFailed

MACRO = """
    import dataiku
    from dataiku.runnables import Runnable, ResultTable
    class Between(Runnable):
        pass
    class MyMacro(Between):
        def __init__(self, project_key, config, plugin_config):
            self.key, self.config = project_key, config
        def get_progress_target(self):
            return (10, "FILES")
        def run(self, progress_callback):
            for number in range(10):
                progress_callback(number + 1)
            BODY
"""


class TestMacros:
    def act(self, project, body, *, result="HTML", params=(), config=None, **more):
        macro = ({"resultType": result, "params": list(params), **more}, MACRO.replace("BODY", body))
        return project(macro=macro).run("act", params=config or {})

    @pytest.mark.parametrize(
        ("result", "body", "answer"),
        [
            ("HTML", "return '<b>' + self.key + '</b>'", {"type": "HTML", "text": "<b>TEST</b>"}),
            ("URL", "return 'https://example.org'", {"type": "URL", "text": "https://example.org"}),
            ("NONE", "return 'ignored'", {"type": "NONE"}),
            ("HTML", "return None", {"type": "NONE"}),
            ("JSON_OBJECT", "return {'a': [1]}", {"type": "JSON", "json": {"a": [1]}}),
        ],
    )
    def test_answers(self, project, result, body, answer):
        assert self.act(project, body, result=result).answer == answer

    def test_a_table(self, project):
        body = "t = ResultTable(); t.set_name('T'); t.add_column('a', 'A', 'STRING'); t.add_record([1]); return t"
        answer = self.act(project, body, result="RESULT_TABLE").answer
        assert answer["table"] == {
            "name": "T",
            "columns": [{"id": "a", "label": "A", "type": "STRING"}],
            "records": [[1]],
        }

    @pytest.mark.parametrize(
        ("result", "body", "warned"),
        [
            ("RESULT_TABLE", "return [1]", '"resultType": "RESULT_TABLE", but run returned list [1].'),
            ("HTML", "return ResultTable()", '"resultType": "HTML", but run returned a ResultTable.'),
            ("HTML", "return {'a': 1}", '"resultType": "HTML", but run returned dict'),
            (
                "RESULT_TABLE",
                "t = ResultTable(); t.add_column('a', 'A'); t.add_record([1, 2]); return t",
                "has 1 column, and its record 1 has 2 cells",
            ),
        ],
    )
    def test_an_answer_that_its_descriptor_does_not_announce_is_a_warning(self, project, result, body, warned):
        assert warned in self.act(project, body, result=result).log

    def test_progress_that_is_no_number(self, project):
        with pytest.raises(
            ComponentFailed, match=r"takes a number, .* and got 'half'. \(python-runnables/act/runnable.py"
        ):
            self.act(project, "progress_callback('half')")

    def test_a_macro_without_run(self, project):
        code = "from dataiku.runnables import Runnable\nclass Mine(Runnable):\n    pass\n"
        with pytest.raises(ComponentFailed, match="^The macro Mine has no method run"):
            project(macro=({}, code)).run("act")

    def test_a_run_without_its_parameter_is_no_fault_of_the_host(self, project):
        code = "from dataiku.runnables import Runnable\nclass Mine(Runnable):\n    def run(self):\n        pass\n"
        made = project(macro=({}, code))
        with pytest.raises(ComponentFailed, match=r"TypeError: Mine.run\(\) takes 1 positional argument"):
            made.run("act")
        (log,) = made.project.dir.glob(".minihost/jobs/*/log")
        assert "Raised by the host" not in log.read_text()

    @pytest.mark.parametrize("in_process", [False, True])
    def test_the_data_folder_of_the_platform_is_there_and_empty(self, project, in_process):
        body = (
            "import os; os.environ['LEFT_BEHIND'] = os.environ['DKU_CURRENT_PROJECT_KEY']; "
            "return {name: os.listdir(os.path.join(os.environ['DIP_HOME'], name)) for name in self.config['names']}"
        )
        names = ["analysis-data", "saved_models", "config/projects"]
        macro = {"resultType": "JSON_OBJECT", "params": [{"name": "names", "type": "STRINGS"}]}
        made = project(macro=(macro, MACRO.replace("BODY", body)))
        done = made.run("act", params={"names": names}, in_process=in_process)
        assert done.answer["json"] == dict.fromkeys(names, [])
        assert not {"LEFT_BEHIND", "DIP_HOME"} & set(os.environ)

    @pytest.mark.parametrize("in_process", [False, True])
    def test_numbers_of_numpy_stay_numbers(self, project, in_process):
        body = "import numpy as np; t = ResultTable(); t.add_column('a', 'A'); t.add_record([np.int64(3)]); return t"
        macro = ({"resultType": "RESULT_TABLE"}, MACRO.replace("BODY", body))
        done = project(macro=macro).run("act", in_process=in_process)
        assert done.answer["table"]["records"] == [[3]]

    def test_a_file_is_kept(self, project):
        done = self.act(project, "open('x', 'w').write('content'); return 'x'", result="FILE", extension="csv")
        assert Path(done.answer["path"]).read_text() == "content"
        assert Path(done.answer["path"]).name == "result.csv"

    def test_admin_parameters_and_progress(self, project):
        done = self.act(
            project,
            "return self.config['secret_path']",
            config={"secret_path": "p"},
            adminParams=[{"name": "secret_path", "type": "STRING"}],
        )
        assert done.answer["text"] == "p"
        events = [json.loads(line) for line in (done.folder / "events.jsonl").read_text().splitlines()]
        assert events[0] == {"target": [10, "FILES"]}
        assert events[-1] == {"progress": 10.0}

    def test_folders_that_it_fills_are_complete_or_as_they_were(self, project, tmp_path):
        params = [{"name": "where", "type": "MANAGED_FOLDER"}, {"name": "fail", "type": "BOOLEAN"}]
        body = (
            "f = dataiku.Folder(self.config['where']); f.upload_data('x', b'1')\n"
            "            if self.config.get('fail'): raise ValueError('late')\n            return 'ok'"
        )
        macro = ({"params": params}, MACRO.replace("BODY", body))
        made = project(macro=macro)
        with pytest.raises(ComponentFailed, match="late"):
            made.run("act", params={"where": "models/net", "fail": True})
        assert not (made.root / "models" / "net").exists()
        assert os.listdir(made.root / "models") == []
        made.run("act", params={"where": "models/net"})
        assert (made.root / "models" / "net" / "x").read_bytes() == b"1"
        assert os.listdir(made.root / "models") == ["net"]

    @pytest.mark.parametrize("method", ["fork", "spawn"])
    def test_processes_of_a_macro_fill_one_folder_together(self, project, method):
        work = """
            import dataiku
            def work(number):
                dataiku.Folder("net").upload_data(f"{number}", b"x")
                return number
        """
        body = (
            "import multiprocessing; from work_of_the_macro import work\n"
            f"            for part in ([1, 2], [3], [4, 5]):\n"
            f"                with multiprocessing.get_context({method!r}).Pool(2) as pool:\n"
            "                    pool.map(work, part, chunksize=1)\n"
            "            assert len(dataiku.Folder('net').list_paths_in_partition()) == 5\n"
            "            work(6)"
        )
        params = [{"name": "where", "type": "MANAGED_FOLDER"}]
        macro = ({"params": params}, MACRO.replace("BODY", body))
        made = project(macro=macro, files={"python-lib/work_of_the_macro.py": work})
        made.run("act", params={"where": "models/net"})
        assert sorted(os.listdir(made.root / "models" / "net")) == ["1", "2", "3", "4", "5", "6"]
        assert os.listdir(made.root / "models") == ["net"]

    def test_folders_by_url_are_filled_at_the_end(self, project, monkeypatch):
        from minihost.folders.store import Facts
        from minihost.hookspecs import hookimpl
        from minihost.host import manager

        class Store(dict):
            def paths(self):
                return sorted(self)

            def open(self, path):
                return io.BytesIO(self[path])

            def facts(self, path):
                return Facts(len(self[path])) if path in self else None

            def children(self, path):
                return [one.strip("/") for one in self]

            def write(self, path, content):
                self[path] = content.read()

            def delete(self, path):
                self.pop(path, None)

        store = Store({"/old": b"0", "/gone": b"0"})

        class Plugin:
            @staticmethod
            @hookimpl
            def minihost_open_folder(reference):
                return store if reference.path == "dict://x" else None

        params = [{"name": "where", "type": "MANAGED_FOLDER"}, {"name": "fail", "type": "BOOLEAN"}]
        body = (
            "f = dataiku.Folder(self.config['where']); f.upload_data('x', b'1'); f.delete_path('gone')\n"
            "            assert f.list_paths_in_partition() == ['/old', '/x'], f.list_paths_in_partition()\n"
            "            if self.config.get('fail'): raise ValueError('late')"
        )
        made = project(macro=({"params": params}, MACRO.replace("BODY", body)))
        manager().register(Plugin, name="dict")
        try:
            with pytest.raises(ComponentFailed, match="late"):
                made.run("act", params={"where": "dict://x", "fail": True}, in_process=True)
            assert store == {"/old": b"0", "/gone": b"0"}
            made.run("act", params={"where": "dict://x"}, in_process=True)
        finally:
            manager().unregister(name="dict")
        assert store == {"/old": b"0", "/x": b"1"}

    def test_new_folders_are_found_by_name_later(self, project):
        body = "dataiku.api_client().get_project(self.key).create_managed_folder('made'); dataiku.Folder('made').upload_data('x', b'1')"
        made = project(
            macro=({}, MACRO.replace("BODY", body)), inputs=[role("in", folder=True)], code=PRINT, outputs=[]
        )
        made.run("act")
        assert made.files("made") == {"/x": b"1"}
        made.run("do", inputs={"in": "made"})

    def test_without_a_runnable(self, project):
        made = project(macro=({}, "x = 1"))
        with pytest.raises(ComponentFailed, match="no class that derives from dataiku.runnables.Runnable"):
            made.run("act")
