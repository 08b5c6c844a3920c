"""Components in processes of their own: what they see, how they end, what is left of them."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import pytest
from component_plugins import role, write_components

from minihost import running
from minihost.errors import ComponentFailed, HostError, Interrupted, JobError

IN, OUT = [role("in")], [role("out")]
COPY = """
import dataiku
from dataiku.customrecipe import *
source, target = dataiku.Dataset(get_input_names_for_role("in")[0]), dataiku.Dataset(get_output_names_for_role("out")[0])
target.write_schema(source.read_schema())
with target.get_writer() as writer:
    for row in source.iter_tuples():
        writer.write_tuple(row)
"""
COPY_FRAME = """
import dataiku
dataiku.Dataset("done").write_with_schema(dataiku.Dataset("rows").get_dataframe())
"""
PRINT = "print('said', flush=True)\n"
ROWS = [{"a": 1}]


@pytest.fixture
def project(tmp_path, minihost_project):
    """Return a maker of projects with one recipe `do` of this code, a dataset `rows`, and what else is given."""

    def make(code=COPY, *, inputs=IN, outputs=OUT, files=None, macro=None, params=(), folders=None, **more):
        recipes = {"do": ({"inputRoles": inputs, "outputRoles": outputs, "params": list(params)}, code)}
        macros = {"act": macro} if macro else None
        plugin = write_components(tmp_path / "plugin", recipes, macros, files, **more)
        return minihost_project(plugin=plugin, datasets={"rows": ROWS}, folders=folders)

    return make


def run(made, **more):
    return made.run("do", inputs={"in": "rows"}, outputs={"out": "done"}, **more)


class TestWhatARecipeSees:
    def test_it_copies(self, project):
        assert run(project(COPY_FRAME)).rows("done") == ROWS

    def test_its_surroundings(self, project):
        done = run(
            project(
                dedent("""
                import json, os, sys
                import helper_of_the_plugin
                facts = {"name": __name__, "file": __file__, "argv": sys.argv, "cwd": os.getcwd(), "lib": sys.path[0],
                         "helper": helper_of_the_plugin.__file__, "tf": os.environ["TF_CPP_MIN_LOG_LEVEL"],
                         "project": os.environ["DKU_CURRENT_PROJECT_KEY"], "home": os.environ["DIP_HOME"],
                         "host": [n for n in ("click", "yaml", "pluggy", "jsonschema", "rich", "pandas", "pyarrow") if n in sys.modules],
                         "main": sys.modules["__main__"].__file__, "stdin": sys.stdin.read()}
                open("written.txt", "w").write("x")
                print("FACTS" + json.dumps(facts))
                """)
                + COPY,
                files={"python-lib/helper_of_the_plugin.py": ""},
            )
        )
        facts = json.loads(done.log.split("FACTS")[1].splitlines()[0])
        assert facts["name"] == "__main__"
        assert facts["file"] == facts["main"] == facts["argv"][0]
        assert facts["file"].endswith("custom-recipes/do/recipe.py")
        assert facts["lib"].endswith("plugin/python-lib")
        assert facts["helper"].startswith(facts["lib"])
        assert Path(facts["cwd"]).name == "work"
        assert not Path(facts["cwd"]).exists()
        assert facts["tf"] == "3"
        assert facts["project"] == "TEST"
        assert os.path.isdir(facts["home"])
        assert facts["host"] == []
        assert facts["stdin"] == ""

    def test_modules_of_the_plugin_win(self, project):
        names = ["utils", "yaml", "click", "project", "datasets", "job", "vision_recipes"]
        code = "".join(f"import {name}.below\nassert {name}.MINE == 1\n" for name in names)
        files = {f"python-lib/{name}/__init__.py": "MINE = 1" for name in names}
        files |= {f"python-lib/{name}/below.py": "" for name in names}
        assert run(project(code + COPY, files=files)).rows("done") == ROWS

    def test_modules_of_the_host_do_not_lie_on_the_path_by_their_bare_names(self, project):
        code = "try:\n    import flow\nexcept ImportError:\n    print('no flow')\n" + COPY
        assert "no flow" in run(project(code)).log

    def test_threads_and_processes_may_use_the_folder(self, project):
        code = """
            from concurrent.futures import ProcessPoolExecutor
            import multiprocessing
            import dataiku
            from dataiku.customrecipe import get_output_names_for_role
            folder = dataiku.Folder(get_output_names_for_role("out")[0])
            def work(number):
                folder.upload_data(f"{number}", str(number).encode())
                return number
            with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
                print(sum(pool.map(work, range(4))))
        """
        done = run(project(code, outputs=[role("out", folder=True)]))
        assert sorted(done.files("done")) == ["/0", "/1", "/2", "/3"]

    @pytest.mark.parametrize("method", ["spawn", "forkserver"])
    def test_processes_that_are_spawned_know_dataiku_too(self, project, method):
        code = f"""
            import multiprocessing, os, subprocess, sys
            import dataiku
            from work_of_the_plugin import work
            if __name__ == "__main__":
                with multiprocessing.get_context({method!r}).Pool(1) as pool:
                    print(pool.map(work, range(2)))
                script = "import dataiku.customrecipe as c; print('script knows', c.get_recipe_config()['password'] == 'secret-word')"
                subprocess.run([sys.executable, "-c", script], check=True)
                subprocess.run([sys.executable, "-c", "import sys; print([m for m in sys.modules if 'minihost' in m])"])
                assert "secret-word" not in "".join(os.environ.values())
        """
        helper = """
            import dataiku
            from dataiku.customrecipe import get_output_names_for_role
            def work(number):
                dataiku.Folder(get_output_names_for_role("out")[0]).upload_data(f"{number}", b"x")
                return number
        """
        params = [{"name": "password", "type": "PASSWORD", "defaultValue": "secret-word"}]
        files = {"python-lib/work_of_the_plugin.py": helper}
        done = run(project(code, outputs=[role("out", folder=True)], files=files, params=params))
        assert sorted(done.files("done")) == ["/0", "/1"]
        assert done.log.splitlines() == ["[0, 1]", "script knows True", "[]"]

    def test_a_recipe_without_roles_gets_what_it_is_given(self, tmp_path, minihost_project):
        code = """
            import dataiku
            from dataiku.customrecipe import get_input_names, get_output_names
            dataiku.Dataset(get_output_names()[0]).write_with_schema(dataiku.Dataset(get_input_names()[0]).get_dataframe())
        """
        plugin = write_components(tmp_path / "plugin", {"old": ({}, code)})
        made = minihost_project(plugin=plugin, datasets={"rows": ROWS})
        assert made.run("old", inputs={"x": "rows"}, outputs={"y": "done"}).rows("done") == ROWS

    def test_with_another_python_that_has_no_packages(self, project, tmp_path):
        python = tmp_path / "bare-python"
        python.write_text(f'#!/bin/sh\nBARE=yes exec {sys.executable} -S -E "$@"\n')
        python.chmod(0o755)
        made = project("import os, sys\nassert os.environ['BARE'] == 'yes'\nassert 'site' not in sys.modules\n" + COPY)
        planned = made.plan("do", inputs={"in": "rows"}, outputs={"out": "done"})
        running.run(planned.job, running.Options(quiet=True, python=str(python)))
        assert made.rows("done") == ROWS

    def test_in_the_process_of_the_test(self, project):
        made = project(
            "import helper\nhelper.said()\n" + COPY, files={"python-lib/helper.py": "def said():\n    print('hello')"}
        )
        before = (list(sys.path), os.getcwd(), sys.modules["__main__"])
        done = run(made, in_process=True)
        assert done.rows("done") == ROWS
        assert "hello" in done.log
        assert (list(sys.path), os.getcwd(), sys.modules["__main__"]) == before
        assert "helper" not in sys.modules
        assert "dataiku" not in sys.modules


class TestHowItEnds:
    def fails(self, made, **more):
        with pytest.raises(ComponentFailed) as caught:
            run(made, **more)
        assert caught.value.exit_code == 1
        assert not made.project.dir.joinpath("datasets", "done.csv").exists()
        jobs = made.project.dir / ".minihost" / "jobs"
        log = max(jobs.iterdir(), key=lambda folder: folder.stat().st_mtime) / "log"
        return str(caught.value), log.read_text()

    def test_by_an_exception_with_its_traceback(self, project):
        reason, log = self.fails(project(COPY + "def inner():\n    raise ValueError('bad thing')\ninner()\n"))
        assert reason == "ValueError: bad thing"
        assert "Traceback (most recent call last):" in log
        assert "in inner" in log
        assert "child.py" not in log
        assert log.splitlines()[-1] == "ValueError: bad thing"

    def test_by_an_error_for_the_user_without_one(self, project):
        reason, log = self.fails(
            project("class Mistake(Exception):\n    for_user = True\nraise Mistake('Choose another column.')\n")
        )
        assert reason == "Choose another column."
        assert "Traceback" not in log
        assert log.splitlines()[-1] == reason

    def test_by_a_syntax_error(self, project):
        reason, _log = self.fails(project("this is no python\n"))
        assert "SyntaxError" in reason

    @pytest.mark.parametrize(
        ("code", "wanted"),
        [
            ("import sys; sys.exit('no input today')", "no input today"),
            ("import sys; sys.exit(3)", "The component ended itself with exit code 3."),
            ("import os; os._exit(0)", "left in the middle with exit code 0 (os._exit or the like)"),
            ("import os; os._exit(5)", "left in the middle with exit code 5"),
            (
                "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
                "killed (SIGKILL), probably because memory ran out",
            ),
            ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "died of SIGSEGV (it crashed in native code)"),
            ("pass", "ended well without having written its output out (done)"),
            ("import atexit, os; atexit.register(os._exit, 7)", "its process ended with exit code 7"),
        ],
    )
    def test_each_in_words_of_its_own(self, project, code, wanted):
        write = "" if code == "pass" else COPY
        reason, log = self.fails(project(PRINT + write + code + "\n"))
        assert wanted in reason
        assert log.splitlines()[0] == "said"
        assert log.splitlines()[-1].endswith(reason)

    def test_a_plain_exit_is_an_end(self, project):
        assert run(project(COPY + "import sys\nsys.exit(0)\n")).rows("done") == ROWS

    def test_a_hang(self, project):
        reason, log = self.fails(project("import time\ntime.sleep(600)\n"), timeout=1.5)
        assert reason == "It was stopped: not done after 1.5 seconds (--timeout)."
        assert log.splitlines()[-1] == reason

    def test_a_hang_that_ignores_being_asked_and_its_children(self, project, tmp_path):
        code = f"""
            import os, signal, subprocess, sys, time
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            for session in (False, True):
                child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=session)
                open({str(tmp_path / "pids")!r}, "a").write(f"{{child.pid}}\\n")
            time.sleep(600)
        """
        self.fails(project(code), timeout=5)
        for pid in (tmp_path / "pids").read_text().split():
            assert not _runs(int(pid))

    def test_children_left_behind_by_a_good_end_are_ended_too(self, project, tmp_path):
        code = f"""
            import subprocess, sys
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
            open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
        """
        assert run(project(COPY + dedent(code))).rows("done") == ROWS
        assert not _runs(int((tmp_path / "pid").read_text()))

    def test_a_real_dataiku_is_refused(self, project, tmp_path, monkeypatch):
        (tmp_path / "real" / "dataiku").mkdir(parents=True)
        (tmp_path / "real" / "dataiku" / "__init__.py").write_text("")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "real"))
        with pytest.raises(HostError, match="never takes the place of the real one") as caught:
            run(project())
        assert caught.value.exit_code == 2


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class TestOutputs:
    def test_a_failure_keeps_what_was_there(self, project):
        made = project()
        run(made)
        (made.plugins[0] / "custom-recipes" / "do" / "recipe.py").write_text(
            "import dataiku, pandas\ndataiku.Dataset('done').write_with_schema(pandas.DataFrame({'new': [2]}))\nraise ValueError('late')\n"
        )
        with pytest.raises(ComponentFailed, match="late"):
            run(made)
        assert made.rows("done") == ROWS
        assert sorted(os.listdir(made.root / "datasets")) == [
            "done.csv",
            "done.schema.json",
            "rows.csv",
            "rows.schema.json",
        ]

    def test_a_folder_through_its_path(self, project):
        code = """
            import os
            import dataiku
            folder = dataiku.Folder("done")
            place = folder.get_path()
            assert open(os.path.join(place, "old")).read() == "old"
            open(os.path.join(place, "old"), "w").write("new")
            os.makedirs(os.path.join(place, "sub"))
            open(os.path.join(place, "sub", "more"), "w").write("more")
            os.remove(os.path.join(place, "gone"))
            assert folder.list_paths_in_partition() == ["/old", "/sub/more"], folder.list_paths_in_partition()
        """
        made = project(code, outputs=[role("out", folder=True)], folders={"done": {"old": "old", "gone": "x"}})
        assert run(made).files("done") == {"/old": b"new", "/sub/more": b"more"}
        (made.plugins[0] / "custom-recipes" / "do" / "recipe.py").write_text(
            "import dataiku, os\np = dataiku.Folder('done').get_path()\nopen(os.path.join(p, 'old'), 'w').write('half')\nraise ValueError('late')\n"
        )
        with pytest.raises(ComponentFailed, match="late"):
            run(made)
        assert made.files("done") == {"/old": b"new", "/sub/more": b"more"}

    def test_the_same_folder_in_and_out(self, project):
        code = """
            import dataiku
            from dataiku.customrecipe import *
            model = dataiku.Folder(get_input_names_for_role("in")[0])
            out = dataiku.Folder(get_output_names_for_role("out")[0])
            out.upload_data("config", model.get_download_stream("config").read() + b"+1")
            out.delete_path("weights-1")
            out.upload_data("weights-2", b"w")
        """
        roles = {"inputs": [role("in", folder=True)], "outputs": [role("out", folder=True)]}
        made = project(code, **roles, folders={"model": {"config": "c", "weights-1": "w"}})
        for _time in range(2):
            made.run("do", inputs={"in": "model"}, outputs={"out": "model"})
        assert made.files("model") == {"/config": b"c+1+1", "/weights-2": b"w"}

    def test_a_cache_keeps_what_an_interrupted_run_wrote(self, project):
        code = """
            import dataiku
            dataiku.Folder("cache").upload_data("part", b"1")
            dataiku.Folder("out").upload_data("x", b"1")
            raise ValueError("late")
        """
        outputs = [role("out", folder=True), role("cache_folder", folder=True, required=False)]
        made = project(code, outputs=outputs)
        with pytest.raises(ComponentFailed):
            made.run("do", inputs={"in": "rows"}, outputs={"out": "out", "cache_folder": "cache"})
        assert made.files("cache") == {"/part": b"1"}
        assert made.files("out") == {}

    def test_optional_outputs_may_stay_unwritten(self, project):
        made = project(outputs=[*OUT, role("more", required=False)])
        made.run("do", inputs={"in": "rows"}, outputs={"out": "done", "more": "nothing"})
        assert not (made.root / "datasets" / "nothing.csv").exists()

    def test_a_folder_may_stay_as_it_is(self, project):
        made = project("pass", outputs=[role("out", folder=True)], folders={"done": {"x": "1"}})
        assert run(made).files("done") == {"/x": b"1"}

    def test_an_output_that_cannot_be_written_is_said_before_anything_runs(self, project, tmp_path):
        made = project(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
        (made.root / "file").write_text("")
        with pytest.raises(JobError, match=r"Output out \(x\) cannot be written") as caught:
            made.run("do", inputs={"in": "rows"}, outputs={"out": "file/x.csv"})
        assert caught.value.exit_code == 2
        assert not (tmp_path / "ran").exists()
        assert list((made.root / ".minihost" / "jobs").iterdir()) == []

    def test_two_outputs_in_one_place(self, project):
        made = project(outputs=[*OUT, role("more")])
        with pytest.raises(JobError, match="are the same place"):
            made.run("do", inputs={"in": "rows"}, outputs={"out": "x.csv", "more": "x.csv"})

    def test_parquet_by_its_ending(self, project):
        made = project()
        made.run("do", inputs={"in": "rows"}, outputs={"out": "out/x.parquet"})
        assert (made.root / "out" / "x.parquet").read_bytes()[:4] == b"PAR1"


class TestLog:
    def test_secrets_are_not_in_it(self, project):
        secret = 'pa"ss wörd-1'
        code = """
            import base64, json, urllib.parse
            from dataiku.customrecipe import get_recipe_config
            word = get_recipe_config()["password"]
            assert len(word) == 12
            print(word, urllib.parse.quote(word), json.dumps(word), base64.b64encode(word.encode()).decode())
            print("Authorization: Bearer abcdefghijkl")
        """
        made = project(dedent(code) + COPY, params=[{"name": "password", "type": "PASSWORD"}])
        done = run(made, params={"password": secret})
        everything = "".join(path.read_text() for path in done.folder.rglob("*") if path.is_file())
        for form in (secret, "w%C3%B6rd", "\\u00f6", "cGEi", "abcdefghijkl"):
            assert form not in everything
        assert done.log.count("*****") >= 5

    def test_it_shows_bytes_that_are_not_text(self, project):
        done = run(
            project("import os\nos.write(1, b'bad \\xff byte\\rbar 1\\rbar 2\\n')\nprint('sur\\udcff')\n" + COPY)
        )
        assert done.log.splitlines()[:4] == ["bad \\xff byte", "bar 1", "bar 2", "sur\\udcff"]

    def test_it_is_bounded(self, tmp_path, monkeypatch):
        from minihost import joblog

        monkeypatch.setattr(joblog, "LIMIT", 10_000)
        log = joblog.JobLog(tmp_path, joblog.Redaction([]))
        for _number in range(1000):
            log.write("x" * 100)
        log.close()
        assert (tmp_path / "log.first").exists()
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2.2 * joblog.LIMIT

    def test_endless_lines_are_cut(self):
        from minihost import joblog

        lines = joblog.Lines()
        assert lines.of(b"x" * (joblog.LONGEST + 1)) == ["x" * (joblog.LONGEST + 1)]
        assert lines.of(b"a\nb") == ["a"]
        assert lines.rest() == ["b"]

    def test_only_the_newest_jobs_are_kept(self, tmp_path):
        from minihost import joblog

        for number in range(5):
            (tmp_path / f"2024-{number}").mkdir()
            if number:
                (tmp_path / f"2024-{number}" / "result.json").touch()
        joblog.keep_newest(tmp_path, 2)
        assert sorted(os.listdir(tmp_path)) == ["2024-0", "2024-3", "2024-4"]


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


class TestInterrupts:
    COMMAND = [sys.executable, "-m", "minihost", "run", "do", "-i", "in=rows.csv", "-o", "out=done.csv"]

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_an_interrupt_ends_everything_and_keeps_outputs(self, tmp_path, number):
        code = PRINT + "import os, time\nopen(os.environ['PID_FILE'], 'w').write(str(os.getpid()))\ntime.sleep(600)\n"
        plugin = write_components(tmp_path / "plugin", {"do": ({"inputRoles": IN, "outputRoles": OUT}, code)})
        (tmp_path / "rows.csv").write_text("a\n1\n")
        (tmp_path / "done.csv").write_text("old\n")
        environment = {**os.environ, "PID_FILE": str(tmp_path / "pid")}
        process = subprocess.Popen(
            [*self.COMMAND, "--plugin", str(plugin)],
            cwd=tmp_path,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
        )
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(number)
        _out, error = process.communicate(timeout=60)
        assert process.returncode == Interrupted.exit_code
        assert error.splitlines()[-1].startswith("Interrupted.")
        assert not _runs(int((tmp_path / "pid").read_text()))
        assert (tmp_path / "done.csv").read_text() == "old\n"
        assert not list(tmp_path.glob(".minihost-*"))

    def test_a_host_that_is_killed_takes_its_child_along(self, tmp_path):
        code = PRINT + "import os, time\nopen(os.environ['PID_FILE'], 'w').write(str(os.getpid()))\ntime.sleep(600)\n"
        plugin = write_components(tmp_path / "plugin", {"do": ({"inputRoles": IN, "outputRoles": OUT}, code)})
        (tmp_path / "rows.csv").write_text("a\n1\n")
        environment = {**os.environ, "PID_FILE": str(tmp_path / "pid")}
        command = [*self.COMMAND, "--plugin", str(plugin)]
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL)
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            time.sleep(0.05)
        process.kill()
        process.wait()
        for _try in range(100):
            if not _runs(int((tmp_path / "pid").read_text())):
                break
            time.sleep(0.1)
        assert not _runs(int((tmp_path / "pid").read_text()))


def test_the_child_alone_says_the_reason_last(tmp_path):
    from minihost.job import Job

    plugin = write_components(
        tmp_path / "plugin", {"do": ({}, "class E(Exception):\n    for_user = True\nraise E('the reason')\n")}
    )
    job = Job(
        "sample",
        str(plugin),
        "do",
        "recipe",
        str(plugin / "custom-recipes/do/recipe.py"),
        "P",
        str(tmp_path),
        str(tmp_path / "j" / "work"),
    )
    job.write(tmp_path / "job.json")
    for command in (["-m", "minihost.child"], [str(Path(__import__("minihost.child").child.__file__))]):
        done = subprocess.run([sys.executable, *command, str(tmp_path / "job.json")], capture_output=True, text=True)
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1] == "the reason"
        assert json.loads((tmp_path / "j" / "result.json").read_text())["reason"] == "the reason"
