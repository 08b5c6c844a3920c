"""Settings of plugins that a project gives in flow.yaml."""

import pytest
from plugin_folders import write_plugin

from minihost.errors import JobError
from minihost.parameters.resolving import Given
from minihost.plugins import Search, discovery
from minihost.projects import project
from minihost.projects.planning import Request, plan

PARAMS = [
    {"name": "key", "label": "Key", "type": "PASSWORD", "mandatory": True},
    {"name": "size", "label": "Size", "type": "INT"},
]


@pytest.fixture
def planned(tmp_path, monkeypatch):
    monkeypatch.delenv("SAMPLE_KEY", raising=False)
    (tmp_path / "in").mkdir()
    root = write_plugin(tmp_path / "plugin", recipes=[("r", {"inputRoles": [], "outputRoles": [], "params": []})])
    descriptor = (
        (root / "plugin.json")
        .read_text()
        .replace('"params": []', f'"params": {PARAMS}'.replace("'", '"').replace("True", "true"))
    )
    (root / "plugin.json").write_text(descriptor)

    def make(settings="", **given):
        (tmp_path / "flow.yaml").write_text(f"settings: {settings}\n" if settings else "")
        catalogue = discovery.find(Search((root,), only_places=True))
        return plan(Request("r", settings=Given(**given)), catalogue, project.open(tmp_path)).job

    return make


def test_they_are_used_and_a_command_wins(planned, monkeypatch):
    monkeypatch.setenv("SAMPLE_KEY", "from outside")
    job = planned('{sample: {key: "${SAMPLE_KEY}", size: 3}, other: {}}')
    assert job.plugin_config == {"key": "from outside", "size": 3}
    assert "from outside" in job.secrets
    assert planned("{sample: {key: a, size: 3}}", texts=(("size", "4"),)).plugin_config == {"key": "a", "size": 4}
    assert planned("{sample: {key: a}}", values={"key": "b"}).plugin_config == {"key": "b"}


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ("", "'key' is missing.*Give it with --setting, or in flow.yaml under `settings:`, `sample:`"),
        ('{sample: {key: "${SAMPLE_KEY}"}}', "'key': there is no environment variable 'SAMPLE_KEY'"),
        ("{sample: {key: a, size: x}}", "Plugin setting: Parameter 'size' is"),
        ("{sample: 3}", "settings"),
    ],
)
def test_mistakes_say_where(planned, settings, reason):
    with pytest.raises(JobError, match=reason):
        planned(settings)
