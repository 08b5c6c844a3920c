"""Projects that start from an example of a plugin."""

import pytest
from plugin_folders import write, write_plugin

from minihost.errors import JobError
from minihost.plugins import Search, discovery
from minihost.projects import examples, flow


@pytest.fixture
def known(tmp_path):
    root = write_plugin(tmp_path / "plugin")
    write_plugin(tmp_path / "plugin/examples/more", "more")
    text = "# Eggs: two folders. And more.\n#\nplugins: [../more]   # a second plugin\nsteps:\n  - recipe: convert\n"
    write(root / "examples/eggs/flow.yaml", text)
    return examples.examples(discovery.find(Search((root,), only_places=True)))


def test_an_example_becomes_the_flow_and_finds_its_plugins(known, tmp_path):
    assert [(one.name, one.title) for one in known] == [("eggs", "Eggs: two folders.")]
    (tmp_path / "mine").mkdir()
    examples.start(known[0], tmp_path / "mine")
    text = (tmp_path / "mine/flow.yaml").read_text()
    assert text == known[0].file.read_text().replace("../more", str(tmp_path / "plugin/examples/more"))
    assert flow.read(tmp_path / "mine/flow.yaml").plugins == (str(tmp_path / "plugin/examples/more"),)
    with pytest.raises(JobError, match="exists already"):
        examples.start(known[0], tmp_path / "mine")
