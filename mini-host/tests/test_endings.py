"""How a run ends, each way reported apart: done, failed, killed, hanging, interrupted."""

import os
import re
import signal
import subprocess
import sys
import time
from textwrap import dedent

import pytest
from component_plugins import write_components
from one_recipe import COPY, IN, OUT, PRINT, ROWS, is_alive, run

from minihost.errors import ComponentFailed, HostError, Interrupted


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

    @pytest.mark.parametrize("in_process", [False, True])
    def test_by_an_exception_in_the_host_with_the_lines_of_the_component(self, project, in_process):
        code = "import dataiku\ndef read():\n    return dataiku.Dataset('rows').get_dataframe(limit='x')\nread()\n"
        reason, log = self.fails(project(code), in_process=in_process)
        assert reason.startswith("ValueError: ")
        first, *traceback = log.splitlines()
        assert re.fullmatch(r"Raised by the host \(minihost/dataiku_api/\w+\.py, line \d+\), called by:", first)
        assert [line.rpartition("/")[2] for line in traceback if "File" in line] == [
            'recipe.py", line 4, in <module>',
            'recipe.py", line 3, in read',
        ]

    def test_by_an_error_for_the_user_without_one(self, project):
        reason, log = self.fails(
            project("class Mistake(Exception):\n    for_user = True\nraise Mistake('Choose another column.')\n")
        )
        assert reason == "Choose another column."
        assert "Traceback" not in log
        assert log.splitlines()[-1] == reason

    def test_by_a_syntax_error(self, project):
        reason, log = self.fails(project("this is no python\n"))
        assert reason == "SyntaxError: invalid syntax (custom-recipes/do/recipe.py, line 1)"
        assert "Raised by the host" not in log

    def test_by_a_refusal_of_the_api_under_the_name_that_dss_has(self, project):
        reason, log = self.fails(project("import dataiku\ndataiku.api_client().get_project('X')\n"))
        assert reason.startswith("dataikuapi.utils.DataikuException: Project 'X' does not exist here")
        assert "Raised by the host" not in log

    @pytest.mark.parametrize(
        ("code", "said"),
        [
            ("dataiku.Dataset('rowz')", "There is no dataset 'rowz' in this job. Did you mean 'rows'?"),
            ("dataiku.Folder('rows')", "'rows' is a dataset, not a folder. Use dataiku.Dataset."),
            ("dataiku.Dataset('rows').write_with_schema(1)", "A pandas DataFrame is expected, got int: 1."),
            ("dataiku.SQLExecutor2(dataset='rows')", "Dataset rows is not a SQL table but "),
        ],
    )
    def test_by_a_wrong_call_of_the_api_with_its_line(self, project, code, said):
        reason, log = self.fails(project(f"import dataiku\n{code}\n"))
        assert reason.startswith(said)
        assert reason.endswith("(custom-recipes/do/recipe.py, line 2)")
        assert "Traceback" not in log

    def test_by_a_writer_that_is_not_closed(self, project):
        code = "import dataiku\nout = dataiku.Dataset('done')\nout.write_schema([{'name': 'a', 'type': 'int'}])\n"
        _reason, log = self.fails(project(code + "out.get_writer().write_row_dict({'a': 1})\n"))
        assert "warning: A writer of " in log
        assert "was not closed, so its rows are lost." in log

    def test_by_a_role_that_is_not_declared(self, project):
        code = "from dataiku.customrecipe import *\nget_input_names_for_role('ins')[0]\n"
        reason, log = self.fails(project(code))
        assert reason == "IndexError: list index out of range"
        said = "warning: recipe.json has no input role 'ins'. Did you mean 'in'? (custom-recipes/do/recipe.py, line 2)"
        assert said in log

    def test_by_a_package_that_the_plugin_asks_for_nowhere(self, project):
        reason, _log = self.fails(project("import no_such_package.part\n"))
        assert (
            "If no_such_package is a package, list what installs it in code-env/python/spec/requirements.txt" in reason
        )

    @pytest.mark.parametrize(
        ("code", "wanted"),
        [
            ("import sys; sys.exit('no input today')", "no input today"),
            ("import sys; sys.exit(3)", "The component ended itself with exit code 3."),
            ("import os; os._exit(0)", "exited early with code 0 (os._exit or similar)"),
            ("import os; os._exit(5)", "exited early with code 5"),
            (
                "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
                "killed (SIGKILL), probably because memory ran out",
            ),
            ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "died of SIGSEGV (it crashed in native code)"),
            ("pass", "finished without writing its output out (done)"),
            ("import atexit, os; atexit.register(os._exit, 7)", "its process exited with code 7"),
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
        assert reason == "Stopped: it did not finish within 1.5 seconds, its timeout."
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
            assert not is_alive(int(pid))

    def test_children_left_behind_by_a_good_end_are_ended_too(self, project, tmp_path):
        code = f"""
            import subprocess, sys
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
            open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
        """
        assert run(project(COPY + dedent(code))).rows("done") == ROWS
        assert not is_alive(int((tmp_path / "pid").read_text()))

    def test_a_real_dataiku_is_refused(self, project, tmp_path, monkeypatch):
        (tmp_path / "real" / "dataiku").mkdir(parents=True)
        (tmp_path / "real" / "dataiku" / "__init__.py").write_text("")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "real"))
        with pytest.raises(HostError, match="never takes the place of the real one") as caught:
            run(project())
        assert caught.value.exit_code == 2


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
        assert not is_alive(int((tmp_path / "pid").read_text()))
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
            if not is_alive(int((tmp_path / "pid").read_text())):
                break
            time.sleep(0.1)
        assert not is_alive(int((tmp_path / "pid").read_text()))
