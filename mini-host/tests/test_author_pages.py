"""What docs/test-your-plugin.md and docs/outputs.md show works."""

import os
import re
import subprocess
import sys

from checkout import ROOT


def test_the_plugin_of_the_page_passes_its_own_tests(tmp_path):
    page = (ROOT / "docs" / "test-your-plugin.md").read_text(encoding="utf-8")
    files = re.findall(r"^`([\w./-]+)`\n\n```\w+\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert len(files) == 5
    for path, text in files:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        "-c",
        os.devnull,
        "tests",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "3 passed" in done.stdout, done.stdout


def test_the_host_does_what_the_page_says_of_roles_and_names():
    page = (ROOT / "docs" / "outputs.md").read_text(encoding="utf-8")
    from minihost.folders.overlay import FILES
    from minihost.folders.paths import OWN
    from minihost.outputs import stages
    from minihost.runs import processes, running

    assert f"`{OWN}stage.NAME/{FILES}`" in page
    assert str(stages.place_of(ROOT / "nowhere" / "net")).endswith(f"{OWN}stage.net")
    assert f"the last {running.KEPT_JOBS} jobs are kept" in page
    assert "memory" in processes.described(-9)
