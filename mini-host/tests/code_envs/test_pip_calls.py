"""What pip says when it fails, in its own words of several versions, and what is made of it."""

import sys
from pathlib import Path

import pytest
from local_wheels import write_wheel

from minihost.plugins.code_envs.pip_calls import understood, wheel_versions

ASKED = {"scipy": "scipy==1.4.1", "spacy": "spacy[ja]==2.3.5", "flask": "flask==1.1.2", "joblib": "joblib==0.14.1"}


@pytest.mark.parametrize(
    ("said", "reason", "sentence", "names"),
    [
        (
            "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(\"HTTPSConnection(host='pypi.org', "
            "port=443): Failed\")': /simple/a/\nERROR: Could not find a version that satisfies the requirement a (from versions: none)\n"
            "ERROR: No matching distribution found for a",
            "network", "pypi.org cannot be reached: there is no network, or it is blocked.", (),
        ),
        (
            "error: connection-failed\n\n× Failed to connect to github.com while fetching https://github.com/a.tar.gz",
            "network", "github.com cannot be reached", (),
        ),
        (
            "  fatal: unable to access 'https://h.org/x.git/': Could not resolve host: h.org\n"
            "ERROR: Failed to build 'git+https://h.org/x.git' when git clone", "network", "h.org cannot be reached", (),
        ),
        (
            "ERROR: Could not find a version that satisfies the requirement scipy==1.4.1 (from versions: 0.8, 1.1, 1.2, 1.9, 1.10)",
            "version", "scipy==1.4.1 does not exist for Python 3.11; versions that do: 0.8 … 1.10.", ("scipy",),
        ),
        (
            "ERROR: Could not find a version that satisfies the requirement blis<0.5 (from spacy[ja]==2.3.5) (from versions: 1.0)",
            "version", "blis<0.5, which spacy[ja]==2.3.5 needs, does not exist for Python 3.11; versions that do: 1.0.", ("spacy",),
        ),
        (
            "error: metadata-generation-failed\n\n× Encountered error while generating package metadata.\n╰─> scipy\n\nnote: x",
            "build", "scipy==1.4.1 has no wheel for Python 3.11 and cannot be built here.", ("scipy",),
        ),
        (
            "Collecting numpy==1.13.3 (from scipy==1.4.1->-r requirements.txt (line 1))\n"
            "ERROR: Failed to build 'numpy' when getting requirements to build wheel",
            "build", "numpy, which scipy==1.4.1 needs, has no wheel for Python 3.11 and cannot be built here.", ("scipy",),
        ),
        (
            "Collecting spacy==2.3.5 (from spacy[ja]==2.3.5->-r requirements.txt (line 1))\nFailed to build spacy\n"
            "ERROR: Failed to build installable wheels for some pyproject.toml based projects (spacy)",
            "build", "spacy[ja]==2.3.5 has no wheel for Python 3.11 and cannot be built here.", ("spacy",),
        ),
        (
            "ERROR: Cannot install a and b because these package versions have conflicting dependencies.\n\n"
            "The conflict is caused by:\n    The user requested joblib==0.14.1\n    learner 1.1.3 depends on joblib>=1.0.0\n\n"
            "To fix this you could try to:\nERROR: ResolutionImpossible: for help visit",
            "conflict", "The user requested joblib==0.14.1; learner 1.1.3 depends on joblib>=1.0.0.", ("joblib", "learner"),
        ),
        (  # pip 23: no name
            "Collecting flask==1.1.2 (from -r requirements.txt (line 1))\n"
            "Collecting scipy==1.4.1 (from -r requirements.txt (line 2))\n"
            "  Preparing metadata (pyproject.toml): finished with status 'error'\n  error: subprocess-exited-with-error\n\n"
            "      Collecting other (from x)\n      ERROR: Could not find a version that satisfies the requirement other "
            "(from versions: none)\nerror: metadata-generation-failed\n\n╰─> See above for output.",
            "build", "scipy==1.4.1 has no wheel for Python 3.11 and cannot be built here.", ("scipy",),
        ),
        ("ERROR: Invalid requirement: 'a==='", "other", "Invalid requirement: 'a==='", ()),
        ("", "other", "pip ended without a word.", ()),
    ],
)  # fmt: skip
def test_a_failure_is_a_reason_and_names_the_requirement(said, reason, sentence, names):
    found = understood(said.splitlines(), ASKED, "Python 3.11")
    assert found.reason == reason
    assert sentence in found.sentence
    assert found.names == names


@pytest.mark.slow
def test_versions_with_a_wheel_are_not_those_that_had_to_be_built(wheel, tmp_path):
    for version in ("1.2", "1.10"):
        wheel("native", version)
    (tmp_path / "wheels" / "native-1.1.tar.gz").write_bytes(b"")
    write_wheel(tmp_path / "wheels", "native", "1.3", tag="cp36-cp36m-manylinux1_x86_64")
    assert wheel_versions(Path(sys.executable), "native") == ["1.2", "1.10"]
    assert wheel_versions(Path(sys.executable), "absent") == []
    assert wheel_versions(Path(sys.executable), "native", pure=True) == ["1.2", "1.10"]
    here = f"cp{sys.version_info.major}{sys.version_info.minor}"
    write_wheel(tmp_path / "wheels", "native", "1.4", tag=f"{here}-{here}-linux_x86_64")
    assert "1.4" not in wheel_versions(Path(sys.executable), "native", pure=True)
