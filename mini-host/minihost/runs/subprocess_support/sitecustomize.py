"""Python imports this at its start, in every process that a component starts (workers that are spawned, scripts).

It makes `dataiku` importable for the job of the component, and costs nothing until somebody imports it. It must not
fail, whatever Python finds it; then it hands over to the `sitecustomize` that it stands before.
"""

import importlib.machinery
import importlib.util
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
JOB = "MINIHOST_JOB"


class Waiting:
    """Stands at the end of the finders until `dataiku` is asked for, then puts the host's own in its place."""

    @staticmethod
    def find_spec(fullname, path=None, target=None):
        """Answer for `dataiku` and `dataikuapi`."""
        if fullname.partition(".")[0] not in ("dataiku", "dataikuapi"):
            return None
        sys.meta_path.remove(Waiting)
        _install(os.environ[JOB])
        return importlib.util.find_spec(fullname)


def _install(place):
    root = os.path.dirname(os.path.dirname(HERE))
    if "minihost" not in sys.modules:
        init = os.path.join(root, "__init__.py")
        spec = importlib.util.spec_from_file_location("minihost", init, submodule_search_locations=[root])
        assert spec is not None and spec.loader is not None  # noqa: PT018
        sys.modules["minihost"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["minihost"])
    from pathlib import Path

    from minihost.dataiku_api import modules
    from minihost.dataiku_api.session import Session
    from minihost.job import Job

    job = Job.read(Path(place))
    modules.install(Session(job, Path(job.work_dir).parent / "events.jsonl"))


def _hand_over():
    rest = [place for place in sys.path if os.path.abspath(place or os.curdir) != HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", rest)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


if os.environ.get(JOB) and sys.version_info >= (3, 8):
    sys.meta_path.append(Waiting)
_hand_over()
