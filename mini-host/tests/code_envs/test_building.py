"""Environments that are built, or not, and who uses them."""

import re
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest
from component_plugins import put
from local_wheels import MADE_FOR_NUMPY_1, NUMPY

import minihost
from minihost.cli import main
from minihost.errors import ComponentFailed, HostError
from minihost.plugins.code_envs import building, lookup, records, spec

RECIPE = """
import dataiku, only_here, subprocess, sys
source, target = dataiku.Dataset("rows"), dataiku.Dataset("out")
target.write_schema(source.read_schema())
with target.get_writer() as writer:
    for row in source.iter_rows():
        writer.write_row_dict(row)
subprocess.run(["only-here"], check=True)
print("RAN", only_here.WORD, sys.prefix)
"""


def test_runs_use_the_environment_once_it_is_built(plugin, wheel, home, minihost_project, capsys):
    wheel("only-here", files={
        "only_here.py": "WORD = 'there'\ndef say():\n    print('COMMAND')\n",
        "only_here-1.0.dist-info/entry_points.txt": "[console_scripts]\nonly-here = only_here:say\n",
    })  # fmt: skip
    root = plugin("# what it needs\nonly-here\n", RECIPE)
    project = minihost_project(plugin=root, datasets={"rows": [{"a": 1}]})

    def run():
        return project.run("do", inputs={"in": "rows"}, outputs={"out": "out"})

    with pytest.raises(
        ComponentFailed, match=rf"No module named 'only_here'. only_here may be .* minihost env {root}$"
    ):
        run()
    assert main(["env", str(root)]) == 0
    assert "runs with" in capsys.readouterr().out
    done = run()
    assert done.rows("out") == [{"a": 1}]
    assert f"RAN there {home / 'envs' / 'sample'}" in done.log
    assert "COMMAND" in done.log
    assert main(["env", str(root)]) == 0
    assert "has its environment already" in capsys.readouterr().out

    put(root / "code-env/python/spec/requirements.txt", "only-here<2\n")
    with pytest.raises(ComponentFailed, match="only_here"):
        run()
    logs = [path.read_text() for path in project.root.glob(".minihost/jobs/*/log")]
    assert sum("was built from other requirements" in log for log in logs) == 1
    assert main(["env", str(root)]) == 0
    assert len([*(home / "envs" / "sample").iterdir()]) == 1
    assert main(["env", str(root), "--remove"]) == 0
    assert not (home / "envs" / "sample").exists()


@pytest.mark.parametrize(
    ("requirements", "said"),
    [
        ("nothing @ file:///nowhere/nothing-1.0-py3-none-any.whl\n", "nowhere/nothing-1.0-py3-none-any.whl"),
        ("there==3.0\n", r"there==3.0 does not exist for Python 3.\d+; versions that do: 1.0, 2.0. .* --relax"),
        ("absent\n", r"absent is nowhere to be found for Python 3.\d+\.$"),
        ("-r more.txt\n", "Could not open requirements file: .*more.txt"),
        ("../other.whl\n", "Invalid wheel filename .*other"),
        ("there==1.0\nneeds-two==1.0\n", r"contradict each other: .*there==1.0.* --relax"),
    ],
)
def test_what_cannot_be_built_says_why_and_leaves_nothing(plugin, wheel, home, capsys, requirements, said):
    wheel("there", "1.0")
    wheel("there", "2.0")
    wheel("needs-two", requires=["there>=2"])
    assert main(["env", str(plugin(requirements))]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert "was not built" in last
    assert re.search(said, last), last
    assert list((home / "envs" / "sample").iterdir()) == []


@pytest.mark.parametrize("options", [(), ("--relax",)])
def test_without_a_network_it_is_one_sentence(options, plugin, home, monkeypatch, capsys):
    for name, value in {"CONFIG_FILE": "/dev/null", "INDEX_URL": "http://127.0.0.1:9/simple", "RETRIES": "1"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    monkeypatch.delenv("PIP_NO_INDEX", raising=False)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    assert main(["env", str(plugin("absent==1\n")), *options]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.endswith("was not built: 127.0.0.1 cannot be reached: there is no network, or it is blocked.")


def test_numpy_is_capped_where_a_module_was_made_for_numpy_1(built, wheel):
    for version in ("1.26.4", "2.4.0"):
        wheel("numpy", version, {"numpy/__init__.py": NUMPY.format(version=version)})
    wheel("faiss-cpu", "1.7.3", {"faiss/__init__.py": MADE_FOR_NUMPY_1}, requires=["numpy"])
    record, said = built("faiss-cpu==1.7.3\n")
    assert record.changes() == ["capped: numpy<2: faiss-cpu 1.7.3 was made for NumPy 1"]
    assert record.is_sound
    assert any("Successfully installed numpy-1.26.4" in line for line in said)


def test_a_chain_of_repairs(built, wheel):
    for name, old, new in (("numpy", "1.26.4", "2.4.0"), ("pyarrow", "25.0", "26.0")):
        for version in (old, new):
            code = NUMPY.format(version=version)
            if (name, version) == ("pyarrow", "26.0"):
                code += "\nimport numpy\nif numpy.__version__ < '2':\n    raise ImportError('pyarrow requires NumPy 2.0 or newer')"
            wheel(name, version, {f"{name}/__init__.py": code})
    wheel("faiss-cpu", "1.7.3", {"faiss/__init__.py": MADE_FOR_NUMPY_1})
    record, _ = built("faiss-cpu\nnumpy\npyarrow\n")
    assert record.capped == (
        "numpy<2: faiss-cpu 1.7.3 was made for NumPy 1",
        "pyarrow<26: pyarrow 26.0 was made for NumPy 2",
    )
    assert record.failures == ()


def test_a_cap_that_does_not_help_is_withdrawn(built, wheel, home):
    for version in ("1.26.4", "2.4.0"):
        wheel("numpy", version, {"numpy/__init__.py": NUMPY.format(version=version)})
    wheel("broken", files={"broken.py": "raise ImportError('numpy.core.multiarray failed to import')"})
    record, _ = built("broken\nnumpy\n")
    assert record.capped == ()
    assert list((home / "envs" / "sample").glob("*/lib/python*/site-packages/numpy-2.4.0.dist-info"))
    assert not record.is_sound


def test_a_pin_of_the_plugin_stands_and_the_failure_is_reported(plugin, wheel, capsys):
    wheel("numpy", "2.4.0", {"numpy/__init__.py": NUMPY.format(version="2.4.0")})
    wheel("faiss-cpu", "1.7.3", {"faiss/__init__.py": MADE_FOR_NUMPY_1})
    root = plugin("faiss-cpu\nnumpy==2.4.0\n")
    reported = (
        "warning: faiss-cpu 1.7.3 cannot be imported: ImportError: numpy.core.multiarray failed to import "
        "numpy<2 would help, but the other requirements do not allow it.\n"
    )
    for _ in range(2):  # built, and found built
        assert main(["env", str(root)]) == 1
        assert capsys.readouterr().err.endswith(reported)


@pytest.mark.parametrize(
    ("code", "error", "sound"),
    [
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "the import died of SIGSEGV", False),
        (
            "raise ImportError('libGL.so.1: cannot open shared object file: No such file or directory')",
            "libGL.so.1",
            True,
        ),
        ("import os\nos._exit(3)", "the import ended with code 3", False),
        ("import absent_module", "ModuleNotFoundError: No module named 'absent_module'", False),
    ],
)
def test_imports_that_fail_are_reported_and_the_environment_stays(built, wheel, tmp_path, code, error, sound):
    wheel("fine")
    wheel("broken", files={"broken/__init__.py": code})
    record, _ = built("fine\nbroken\n")
    assert [one.requirement for one in record.failures] == ["broken 1.0"]
    assert error in record.failures[0].error
    assert record.is_sound == sound
    assert lookup.python_for("sample", tmp_path / "plugin")[0] is not None


BACKEND = """
import os, NEEDED, sys, tarfile, zipfile
def build_wheel(folder, settings=None, metadata=None):
    name = "old-1.0.dist-info"
    with zipfile.ZipFile(os.path.join(folder, "old-1.0-py3-none-any.whl"), "w") as archive:
        archive.writestr("old.py", "")
        archive.writestr(name + "/METADATA", "Metadata-Version: 2.1\\nName: old\\nVersion: 1.0\\n")
        archive.writestr(name + "/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr(name + "/RECORD", "old.py,,\\n")
    return "old-1.0-py3-none-any.whl"
"""
PROJECT = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def archive_needing(tmp_path, module):
    """Write an archive of `old` whose build imports a module that it does not ask for."""
    texts = {
        "backend.py": BACKEND.replace("NEEDED", module),
        "pyproject.toml": PROJECT,
        "PKG-INFO": "Metadata-Version: 2.1\nName: old\nVersion: 1.0\n",
    }
    with tarfile.open(tmp_path / "wheels" / "old-1.0.tar.gz", "w:gz") as archive:
        for name, text in texts.items():
            archive.add(put(tmp_path / "source" / name, text), f"old-1.0/{name}")


def test_an_old_package_is_built_with_the_tools_that_it_needs(built, wheel, tmp_path):
    archive_needing(tmp_path, "pkg_resources")
    for version, files in (("80.0", {"setuptools.py": "", "pkg_resources.py": ""}), ("82.0", {"setuptools.py": ""})):
        wheel("setuptools", version, files)
    record, said = built("old==1.0\n")
    assert record.failures == ()
    assert "old needs pkg_resources to be built: building with setuptools<81" in said


@pytest.mark.parametrize(
    ("requirements", "version"), [("old\n", "80.0"), ("old\nsetuptools\n", "82.0"), ("new\n", "80.0")]
)
def test_an_environment_has_pkg_resources_unless_the_plugin_chooses_its_setuptools(
    built, wheel, home, requirements, version
):
    wheel("setuptools", "80.0", {"setuptools/__init__.py": "", "pkg_resources/__init__.py": ""})
    wheel("setuptools", "82.0", {"setuptools/__init__.py": ""})
    wheel("old", files={"old.py": "def use():\n    import pkg_resources\n"})
    wheel("new", requires=["setuptools"])
    record, _ = built(requirements)
    assert record.changes() == []
    found = [path.name for path in (home / "envs" / "sample").glob("*/lib/python*/site-packages/setuptools-*")]
    assert found == [f"setuptools-{version}.dist-info"]


@pytest.mark.slow
def test_a_package_that_imports_numpy_is_built_beside_the_numpy_of_the_environment(built, wheel, tmp_path):
    archive_needing(tmp_path, "numpy")
    for name in ("setuptools", "wheel", "cython"):
        wheel(name)
    for version in ("1.26.4", "2.4.0"):
        wheel("numpy", version, {"numpy/__init__.py": NUMPY.format(version=version)})
    record, said = built("old==1.0\nnumpy<2\n")
    assert record.failures == ()
    assert (
        "old==1.0 needs more to be built than it says: building it beside setuptools<81, wheel, numpy<2, cython<3"
        in said
    )
    assert not any("numpy-2.4.0" in line for line in said)


def test_a_package_that_cannot_be_built_beside_numpy_either_says_so_once(plugin, wheel, tmp_path, capsys):
    archive_needing(tmp_path, "numpy.distutils")
    for name in ("setuptools", "wheel", "cython", "numpy"):
        wheel(name)
    assert main(["env", str(plugin("old==1.0\n"))]) == 1
    said = capsys.readouterr().err
    assert said.count("building it beside") == 1
    assert "old==1.0 has no wheel for Python" in said.splitlines()[-1]


INTERRUPTED_BUILD = """
import os, signal, sys
from pathlib import Path
from minihost.errors import Interrupted
from minihost.plugins.code_envs import building, spec

def interrupt(line):
    if "Installing collected" in line:
        os.kill(os.getpid(), getattr(signal, sys.argv[2]))

try:
    building.build(spec.spec_of("sample", Path(sys.argv[1])), interrupt, relax=sys.argv[3] == "True")
except Interrupted as err:
    print(err)
"""


@pytest.mark.parametrize("relax", [False, True])
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_an_interrupted_build_leaves_nothing(plugin, wheel, home, number, relax):
    wheel("there")
    root = plugin("there\n")
    command = [sys.executable, "-c", INTERRUPTED_BUILD, str(root), number, str(relax)]
    folder = str(Path(minihost.__file__).parents[1])
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert "The code environment of sample was not built" in done.stdout, done.stderr
    assert list((home / "envs" / "sample").iterdir()) == []
    assert main(["env", str(root)]) == 0


def test_a_pip_that_does_not_end_is_ended(plugin, wheel, home, monkeypatch, capsys):
    monkeypatch.setattr("minihost.plugins.code_envs.pip_calls.LIMIT", 0.01)
    wheel("there")
    assert main(["env", str(plugin("there\n"))]) == 1
    assert "was not built: pip did not end within" in capsys.readouterr().err
    assert list((home / "envs" / "sample").iterdir()) == []


def test_an_import_that_does_not_end_is_not_waited_for(built, wheel, monkeypatch):
    monkeypatch.setattr("minihost.plugins.code_envs.import_check.LIMIT", 0.5)
    wheel("endless", files={"endless.py": "import time\ntime.sleep(60)"})
    record, _ = built("endless\n")
    assert "did not end" in record.failures[0].error
    assert record.is_sound


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import os\nos._exit(0)", "the import ended with code 0."),
        ("raise ValueError('\\x1b[31m' + 'a' * 5000)", "ValueError: aaa"),
        ("import sys\nwhile True: sys.stderr.write('x' * 65536 + '\\n')", "xxxx"),
    ],
)
def test_an_import_that_misbehaves_is_a_failure_in_one_short_line(built, wheel, code, error):
    wheel("odd", files={"odd.py": code})
    record, _ = built("odd\n")
    said = record.failures[0].error
    assert said.startswith(error)
    assert len(said) <= 300
    assert "\x1b" not in said


def test_what_an_import_starts_is_not_waited_for(built, wheel):
    wheel("forks", files={"forks.py": "import os, time\nif os.fork() == 0:\n    time.sleep(600)"})
    assert built("forks\n")[0].failures == ()


def test_one_process_builds_at_a_time(plugin, wheel, home):
    wheel("there")
    wanted = spec.spec_of("sample", plugin("there\n"))
    inside, leave, answers = threading.Event(), threading.Event(), []

    def first(line):
        inside.set()
        leave.wait(20)

    one = threading.Thread(target=lambda: answers.append(building.build(wanted, first)))
    one.start()
    assert inside.wait(20)
    with pytest.raises(HostError, match="is being written by another run: minihost env"):
        building.build(wanted, lambda line: None)
    leave.set()
    one.join()
    assert records.read(wanted.place) == answers[0]


@pytest.mark.slow
def test_what_a_killed_build_left_is_not_used(plugin, wheel, minihost_project, capsys):
    wheel("there")
    root = plugin("there\n")
    assert main(["env", str(root)]) == 0
    wanted = spec.spec_of("sample", root)
    (wanted.place / records.FILE).unlink()
    python, warning = lookup.python_for("sample", root)
    assert python is None
    assert "is not complete" in warning
    assert main(["env", str(root)]) == 0
    assert lookup.python_for("sample", root) == (str(wanted.python), "")
