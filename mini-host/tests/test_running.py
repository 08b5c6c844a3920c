"""Components in processes of their own: what they see and what they log."""

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from checkout import HOST
from component_plugins import role, write_components
from one_recipe import COPY, COPY_FRAME, ROWS, run

from minihost.runs import running


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
                subprocess.run([sys.executable, "-c", "import work_of_the_plugin as w; print(w.__name__)"], check=True)
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
        assert done.log.splitlines() == ["[0, 1]", "script knows True", "[]", "work_of_the_plugin"]

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


class TestLog:
    def test_what_libraries_tell_their_own_developers_is_in_the_file_only(self, project, capfd):
        chatter = [
            "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
            "I0000 00:00:1795371484.179076   24991 cudart_stub.cc:31] Could not find cuda drivers on your machine.",
        ]
        said = ["E0000 00:00:1795371484.179076   24991 device.cc:31] broken", "I am the recipe's own line"]
        made = project(f"print({chr(10).join(chatter + said)!r})" + COPY)
        planned = made.plan("do", inputs={"in": "rows"}, outputs={"out": "done"})
        result = running.run(planned.job, running.Options())
        assert result.log.read_text(encoding="utf-8").splitlines() == chatter + said
        shown = capfd.readouterr()
        assert [line for line in (shown.out + shown.err).splitlines() if line in chatter + said] == said

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
        from minihost.runs import joblog

        monkeypatch.setattr(joblog, "LIMIT", 10_000)
        log = joblog.JobLog(tmp_path, joblog.Redaction([]))
        for _number in range(1000):
            log.write("x" * 100)
        log.close()
        assert (tmp_path / "log.first").exists()
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2.2 * joblog.LIMIT

    def test_endless_lines_are_cut(self):
        from minihost.runs import joblog

        lines = joblog.Lines()
        assert lines.of(b"x" * (joblog.LONGEST + 1)) == ["x" * (joblog.LONGEST + 1)]
        assert lines.of(b"a\nb") == ["a"]
        assert lines.rest() == ["b"]

    def test_only_the_newest_jobs_are_kept(self, tmp_path):
        from minihost.runs.job_folders import keep_newest

        ended = {"began-first-ended-last": 50, "began-1": 10, "began-2": 20, "began-3": 30}
        for name, seconds in ended.items():
            (tmp_path / name).mkdir()
            (tmp_path / name / "result.json").touch()
            os.utime(tmp_path / name / "result.json", (seconds, seconds))
        (tmp_path / "running").mkdir()
        keep_newest(tmp_path, 3)
        assert sorted(os.listdir(tmp_path)) == ["began-3", "began-first-ended-last", "running"]


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
    for command in (["-m", "minihost.runs.child"], [str(HOST / "minihost/runs/child.py")]):
        done = subprocess.run([sys.executable, *command, str(tmp_path / "job.json")], capture_output=True, text=True)
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1] == "the reason"
        assert json.loads((tmp_path / "j" / "result.json").read_text())["reason"] == "the reason"
