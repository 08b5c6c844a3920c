"""The process that runs one component: `python child.py JOB.json`, or `python -m minihost.runs.child JOB.json`; with
`--series` several, one after the other.

It makes the module `dataiku` in memory, puts the plugin's python-lib first on the module path, and runs the recipe as
`__main__`, the macro, or the `do` of a form. What came of it is written to `result.json` beside the log: `status` done,
failed or refused; `reason` in one line; `line`, the line of the plugin that it came from; `result`.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import functools
import importlib.util
import json
import os
import signal
import sys
import threading
import types
from pathlib import Path
from typing import Any

if not __package__:  # run as a file: make `minihost` importable without anything else that lies beside it
    _package = Path(__file__).resolve().parents[1]
    _spec = importlib.util.spec_from_file_location(
        "minihost", _package / "__init__.py", submodule_search_locations=[str(_package)]
    )
    assert _spec is not None
    assert _spec.loader is not None
    sys.modules["minihost"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["minihost"])

from minihost import disk_space
from minihost.dataiku_api import modules
from minihost.dataiku_api.missing_names import asked_from
from minihost.dataiku_api.session import Session
from minihost.dataiku_api.small_modules import plain
from minihost.errors import DataError, HostError
from minihost.folders import is_remote
from minihost.job import Job
from minihost.runs.failures import failure, line_of

RESULT, EVENTS = "result.json", "events.jsonl"
PLATFORM_FOLDERS = ("analysis-data", "saved_models", "config/projects")
"""What macros look through in the platform's data folder, which is never without them; here they are empty."""

MARK = "MINIHOST_RUN"
"""The environment variable by which everything that a run started is known; it begins with the host's process id."""


def main(arguments: list[str]) -> int:
    """Run the job of the file given; answer 0 when it is done, 1 when it failed, 2 when it was refused."""
    if arguments[0] == "--series":
        return run_series(int(arguments[1]), arguments[2])
    job = Job.read(Path(arguments[0]))
    if arguments[0] == "/dev/stdin":
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        die_with_parent()
        support_subprocesses(job)
    folder = Path(job.work_dir).parent
    quiet = "--quiet-failure" in arguments
    os.makedirs(job.work_dir, exist_ok=True)
    os.chdir(job.work_dir)
    outcome = perform(job, folder)
    text = json.dumps(outcome, default=plain)
    part = folder / (RESULT + ".part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(folder / RESULT)
    except OSError as err:
        outcome = failure(err, _places(job), Path(job.plugin_root))
    if outcome["status"] != "done" and not quiet:
        print(outcome["reason"], file=sys.stderr)
    return {"done": 0, "refused": 2}.get(outcome["status"], 1)


def run_series(reports: int, cpus: str) -> int:
    """Run one job after the other, on some processors alone where any are named."""
    die_with_parent()
    if cpus and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(number) for number in cpus.split(",")})
    from minihost.runs.series import run_all

    def perform_supported(job: Job, folder: Path) -> dict[str, Any]:
        support_subprocesses(job)
        return perform(job, folder)

    return run_all(perform_supported, reports)


def die_with_parent() -> None:
    """Have the system kill this process when the host that started it dies (Linux only)."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
    if os.getppid() != int(os.environ.get(MARK, "0").partition("-")[0]):
        os.kill(os.getpid(), signal.SIGKILL)  # it died before


def support_subprocesses(job: Job) -> None:
    """Make `import dataiku` and modules of the plugin work in Python processes that the component starts (Linux only).

    They read the job from this process's memory: it may hold secrets, which belong on no disk.
    """
    if not hasattr(os, "memfd_create"):
        return
    text = json.dumps(dataclasses.asdict(job)).encode()
    own = f"/proc/{os.getpid()}/fd/"
    if os.environ.get("MINIHOST_JOB", "").startswith(own):  # of an earlier job
        place = int(os.environ["MINIHOST_JOB"].removeprefix(own))
        os.pwrite(place, text, 0)
        os.ftruncate(place, len(text))
        return
    place = os.memfd_create("minihost-job")
    os.pwrite(place, text, 0)
    os.environ["MINIHOST_JOB"] = f"{own}{place}"
    places = [str(Path(__file__).with_name("subprocess_support")), str(Path(job.plugin_root, "python-lib"))]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [*places, os.environ.get("PYTHONPATH", "")]))


def perform(job: Job, folder: Path) -> dict[str, Any]:
    """Run a job in this process and return what came of it; failures come back as facts, with their traceback printed
    unless they are addressed to the user."""
    session = Session(job, folder / EVENTS)
    if sys.path[0] != (library := str(Path(job.plugin_root, "python-lib"))):
        sys.path.insert(0, library)
    storage_failures().clear()
    try:
        modules.install(session)
        result = RUNS[job.kind](job, folder)
        for name in session.unclosed:
            text = (
                f"warning: A writer of {name} was not closed, so its rows are lost. Write `with … .get_writer() as w:`."
            )
            print(text, file=sys.stderr)
        return done(result)
    except modules.RealPackageFound as err:
        return {"status": "refused", "reason": str(err), "for_user": True}
    except SystemExit as err:
        if err.code is None or err.code == 0:
            return done(None)
        reason = err.code if isinstance(err.code, str) else f"The component ended itself with exit code {err.code}."
        return {"status": "failed", "reason": reason, "for_user": True}
    except KeyboardInterrupt:
        return {"status": "failed", "reason": "Interrupted.", "for_user": True}
    except BaseException as err:
        return {**failure(err, _places(job), Path(job.plugin_root)), "line": line_of(err, Path(job.plugin_root))}
    finally:
        session.release()
        flush()


def done(result: Any) -> dict[str, Any]:
    """Return the end of a component as facts: failed when a storage failed on the way, even if it went on without."""
    if failures := storage_failures():
        return {"status": "failed", "reason": failures[0], "for_user": True}
    return {"status": "done", "result": result}


def storage_failures() -> list[str]:
    """What went wrong for good with storages in this process, if one was opened at all."""
    storage = sys.modules.get("minihost.folders.storage")
    return storage.failures if storage is not None else []


def _places(job: Job) -> dict[str, str]:
    outputs = {f"output {one.role}": one.path for one in job.outputs if not is_remote(one.path)}
    return {**disk_space.temporary(), **outputs, "choose another --project": job.project_dir}


def flush() -> None:
    """Hand on what was printed."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()


def run_recipe(job: Job, folder: Path) -> None:
    """Execute the recipe as `__main__`, as Python does with a script."""
    sys.argv[:] = [job.runner]
    main_module = types.ModuleType("__main__")
    main_module.__file__ = job.runner
    main_module.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = main_module
    exec(compiled(Path(job.runner).read_bytes(), job.runner), main_module.__dict__)


@functools.lru_cache(1)
def compiled(text: bytes, path: str) -> types.CodeType:
    """Return the code of a script; the same script is compiled once."""
    return compile(text, path, "exec")


def run_macro(job: Job, folder: Path) -> dict[str, Any]:
    """Make the macro's Runnable, run it, and return its result as facts."""
    from minihost.dataiku_api.runnables import Runnable

    for name in PLATFORM_FOLDERS:
        Path(job.platform_home, name).mkdir(parents=True, exist_ok=True)
    module = _load(job, "macro")
    macro = _runnable(module, Runnable, job)(job.project_key, job.config, job.plugin_config)
    target = macro.get_progress_target()
    report = Progress(folder / EVENTS)
    report.write(target=list(target) if isinstance(target, tuple | list) else None)
    result = macro.run(report)
    from minihost.runs.results import packed

    return packed(result, job.descriptor, folder)


def run_choices(job: Job, folder: Path) -> Any:
    """Call the `do` of a form's Python file and return its answer."""
    do = getattr(_load(job, "choices"), "do", None)
    if not callable(do):
        raise HostError(f"{job.runner} has no function do(payload, config, plugin_config, inputs).")
    inputs = [{"role": one.role, "fullName": one.full_name, "name": one.name, "type": one.type} for one in job.inputs]
    return do(job.payload, job.config, job.plugin_config, inputs)


def run_webapp(job: Job, folder: Path) -> None:
    """Serve the web app until it is interrupted."""
    from minihost.webapps.serving import serve

    serve(job, Progress(folder / EVENTS).write)


RUNS = {"recipe": run_recipe, "macro": run_macro, "choices": run_choices, "webapp": run_webapp}


class Progress:
    """The callback of macros: takes one number. Other events go to the parent the same way."""

    def __init__(self, events: Path) -> None:
        self.events = events

    def __call__(self, value: Any) -> None:
        """Tell how far the macro is; raises `DataError` for what is no number."""
        try:
            done = float(value)
        except (TypeError, ValueError):
            text = f"progress_callback takes a number, such as the steps done so far, and got {value!r:.60}."
            raise DataError(text + asked_from()) from None
        self.write(progress=done)

    def write(self, **event: Any) -> None:
        """Append an event for the parent to see."""
        with open(self.events, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(event, default=str) + "\n")


def _load(job: Job, purpose: str) -> types.ModuleType:
    """Import the runner's file under a name of its own."""
    name = f"minihost_{purpose}_" + "".join(letter if letter.isalnum() else "_" for letter in job.component_id)
    spec = importlib.util.spec_from_file_location(name, job.runner)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _runnable(module: types.ModuleType, base: type, job: Job) -> type:
    """The one class of the file that derives from Runnable and from which no other derives."""
    found = [
        one for one in vars(module).values() if isinstance(one, type) and issubclass(one, base) and one is not base
    ]
    own = [one for one in dict.fromkeys(found) if one.__module__ == module.__name__] or list(dict.fromkeys(found))
    leaves = [one for one in own if not any(other is not one and issubclass(other, one) for other in own)]
    if not leaves:
        raise HostError(f"{job.runner} has no class that derives from dataiku.runnables.Runnable.")
    return next((one for one in leaves if one.__name__ == "MyRunnable"), leaves[-1])


def leave(code: int) -> None:
    """End this process as Python does, but without taking the interpreter apart: native libraries crash at that, and a
    component that was done would count as failed."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    flush()
    os._exit(code)


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
