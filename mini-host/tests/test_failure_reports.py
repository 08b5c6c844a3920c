"""What an author sees of a test that fails: the line of the test, the reason, the log; no frames of the host."""

import re
import subprocess
import sys

import pytest

from minihost.plugins import skeletons
from minihost.testing.failure_reports import LONGEST

RECIPES = {
    "raises": "def inner():\n    raise ValueError('bad thing')\n\nprint('began')\ninner()\n",
    "chained": "try:\n    {}['key']\nexcept KeyError as err:\n    raise ValueError('no key') from err\n",
    "misuses": "import dataiku\ndataiku.Dataset('out').write_with_schema(3)\n",
    "hangs": "import time\nprint('waiting', flush=True)\ntime.sleep(60)\n",
    "forgets": "print('did nothing')\n",
    "talks": "for number in range(1000):\n    print('line', number)\n",
}
TESTS = """
import pytest

ROLES = {"inputs": {"input_dataset": "people"}, "outputs": {"output_dataset": "out"}}


@pytest.fixture
def project(minihost_project):
    return minihost_project(datasets={"people": [{"name": "Ada"}]})


@pytest.mark.parametrize("in_process", [False, True])
@pytest.mark.parametrize("recipe", ["raises", "chained", "misuses", "forgets"])
def test_run(project, recipe, in_process):
    project.run(recipe, **ROLES, in_process=in_process)

def test_job_error(project):
    project.run("words-number-rows", **ROLES, params={"first_number": "x"})

def test_wrong_result(project):
    done = project.run("words-number-rows", **ROLES)
    assert len(done.rows("out")) == 2

def test_timeout(project):
    project.run("hangs", **ROLES, timeout=2)

def test_misspelt_dataset(project):
    project.rows("peple")

def test_misspelt_component(project):
    project.run("raise")

def test_misspelt_keyword(project):
    project.run("raises", input={"input_dataset": "people"})

def test_backend(project):
    with project.webapp("board", {"dataset": "people"}):
        pass

def test_long_log(project):
    project.run("talks", **ROLES)

def test_unequal_columns(minihost_project):
    minihost_project(datasets={"people": {"a": [1, 2], "b": [1]}})

def test_not_a_table(minihost_project):
    minihost_project(datasets={"people": "Ada"})

def test_not_files(minihost_project):
    minihost_project(folders={"pictures": {"a.txt": 5}})

def test_timeout_in_process(project):
    project.run("raises", **ROLES, in_process=True, timeout=2)

def test_passes(project):
    with pytest.raises(Exception):
        project.run("raises", **ROLES)
"""
REASONS = {
    "job_error": "JobError: Parameter 'first_number' is \"x\"; a whole number of at least 0 is expected.",
    "wrong_result": "AssertionError: assert 1 == 2",
    "timeout": "ComponentFailed: Stopped: it did not finish within 2 seconds, its timeout.",
    "timeout_in_process": "JobError: A run with in_process=True cannot be stopped after a timeout: leave out one of",
    "long_log": "ComponentFailed: The component finished without writing its output output_dataset (out).",
    "misspelt_dataset": "JobError: There is no dataset 'peple'. Did you mean 'people'? Known: people.",
    "misspelt_component": "JobError: There is no component 'raise'. Did you mean 'raises'? Known: chained,",
    "misspelt_keyword": "TypeError: ProjectUnderTest.run() got an unexpected keyword argument 'input'",
    "backend": "ModuleNotFoundError: No module named 'no_such_module'",
    "unequal_columns": "JobError: The dataset 'people' is a dict whose lists differ in length (a has 2, b has 1); a data",
    "not_a_table": "JobError: The dataset 'people' is 'Ada'; a data frame, a list of dicts, a dict of",
    "not_files": "JobError: The folder 'pictures' has {'a.txt': 5}; a dict of path: bytes or text, or a Path",
}
OF_RUNS = {
    "raises": "ComponentFailed: ValueError: bad thing",
    "chained": "ComponentFailed: ValueError: no key",
    "misuses": "ComponentFailed: A pandas DataFrame is expected, got int",
    "forgets": "ComponentFailed: The component finished without writing its output output_dataset (out).",
}
REASONS |= {f"run[{name}-{kind}]": reason for name, reason in OF_RUNS.items() for kind in (False, True)}


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Name of a test -> what pytest printed about it."""
    place = tmp_path_factory.mktemp("failing")
    skeletons.new_plugin("words", place)
    root = place / "words"
    descriptor = (root / "custom-recipes" / "words-number-rows" / "recipe.json").read_text()
    for name, code in RECIPES.items():
        folder = root / "custom-recipes" / name
        folder.mkdir()
        (folder / "recipe.json").write_text(descriptor)
        (folder / "recipe.py").write_text(code)
    skeletons.new_component("webapp", "board", root)
    (root / "webapps" / "board" / "backend.py").write_text("import no_such_module\n")
    (root / "tests" / "test_failing.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_failing.py"]
    printed = subprocess.run(command, cwd=root, capture_output=True, text=True).stdout
    assert "1 passed" in printed, printed
    pieces = re.split(r"^_{3,} test_(\S+) _{3,}$", printed.partition("short test summary")[0], flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def test_every_failure_has_a_report(reports):
    assert reports.keys() == REASONS.keys()


@pytest.mark.parametrize("name", REASONS)
def test_the_author_sees_a_line_and_the_reason_and_nothing_of_the_host(reports, name):
    shown, _, log = reports[name].partition("- log of ")
    assert REASONS[name] in " ".join(re.findall(r"^E +(.*)$", shown, re.MULTILINE)), shown
    marked = re.findall(r"^> +(.*)$", shown, re.MULTILINE)
    assert re.match(r"project\.|minihost_project\(|assert |with project|import no_such", marked[-1]), shown
    for text in (shown, log):
        assert "minihost/testing" not in text
        assert "minihost/runs" not in text
        assert "contextlib" not in text
    assert "direct cause" not in shown


@pytest.mark.parametrize("in_process", [False, True])
def test_the_log_shows_the_traceback_of_the_recipe(reports, in_process):
    log = reports[f"run[raises-{in_process}]"].partition("- log of words/raises -")[2]
    lines = [re.sub(r'File ".*/words/', 'File "', line.strip()) for line in log.splitlines()[1:] if "^" not in line]
    assert lines == [
        "began",
        "Traceback (most recent call last):",
        'File "custom-recipes/raises/recipe.py", line 5, in <module>',
        "inner()",
        'File "custom-recipes/raises/recipe.py", line 2, in inner',
        "raise ValueError('bad thing')",
        "ValueError: bad thing",
    ]
    assert "direct cause" in reports[f"run[chained-{in_process}]"].partition("log of")[2]


@pytest.mark.parametrize("in_process", [False, True])
def test_an_error_of_the_host_comes_with_the_line_of_the_recipe(reports, in_process):
    log = reports[f"run[misuses-{in_process}]"].partition("log of")[2]
    assert "from custom-recipes/misuses/recipe.py, line 2: dataiku.Dataset('out').write_with_schema(3)" in log


def test_a_wrong_result_comes_with_the_log(reports):
    assert "rows numbered: 1" in reports["wrong_result"].partition("log of words/words-number-rows")[2]


def test_a_long_log_is_shown_from_its_end(reports):
    log = reports["long_log"].partition("log of words/talks")[2]
    assert "line 999\n" in log
    assert "line 800\n" not in log
    assert f"({1001 - LONGEST} lines before these)" in log


def test_nothing_says_where_a_log_was(reports):
    assert not any("log: " in report for report in reports.values())
