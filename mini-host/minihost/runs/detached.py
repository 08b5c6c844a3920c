"""Commands of the host that go on without whoever started them: `.minihost/<store>/<id>` has their facts and output."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minihost.errors import HostError
from minihost.regular_files import open_regular
from minihost.runs import job_records, live_folders

BUILDS, WEBAPPS = "builds", "webapps"
KEPT = 50
VARIABLE = "MINIHOST_DETACHED"
"""The environment variable that tells a command the folder that it was started with."""

FACTS, OUTPUT, PROCESS, STOP, PARAMS = "command.json", "output", "process", "stop", "params.json"
LONGEST = 1 << 16


@dataclass(frozen=True)
class Detached:
    """A command that was started by itself. `command` is what a person would type, `about` what its starter noted."""

    folder: Path
    command: str
    since: float
    about: dict[str, Any]
    alive: bool

    @property
    def id(self) -> str:
        """The name of its folder."""
        return self.folder.name

    @property
    def output(self) -> str:
        """What it printed; of much, the beginning and the end."""
        try:
            with open_regular(self.folder / OUTPUT) as stream:
                text = stream.read(LONGEST)
                left = os.fstat(stream.fileno()).st_size - len(text)
                if left > 0:
                    stream.seek(-min(left, LONGEST), os.SEEK_END)
                    text += (b"\n[...]\n" if left > LONGEST else b"") + stream.read(LONGEST)
        except OSError:
            return ""
        return text.decode("utf-8", "replace")


def start(
    project_dir: Path, store: str, arguments: list[str], about: dict[str, Any], params: dict[str, Any] | None = None
) -> Detached:
    """Start `minihost …`, quietly, in a session of its own, in the project's folder; it outlives this process.

    `about` is kept beside its output. `params` go by a file that the command deletes when it has read it: they may be
    secret, and command lines are for all to see. Raises `HostError` when it cannot be started.
    """
    try:
        place = live_folders.own_folder(project_dir) / store
        folder, descriptor = live_folders.begun(place)
    except OSError as err:
        raise HostError(
            f"Nothing can be started in {project_dir}: .minihost cannot be written to ({err.strerror})."
        ) from err
    try:
        typed = shlex.join(["minihost", *arguments])
        if params:
            live_folders.note(folder / PARAMS, json.dumps(params))
            arguments = [*arguments, "--params", str(folder / PARAMS)]
            typed += " --params FILE.json"
        facts = {"command": typed, "since": time.time(), "about": about}
        (folder / FACTS).write_text(json.dumps(facts), encoding="utf-8")
        output = os.open(folder / OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with open(output, "wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "minihost", arguments[0], "--quiet", *arguments[1:]],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                cwd=project_dir,
                env={**os.environ, VARIABLE: str(folder), "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
                pass_fds=(descriptor,),
            )
        note_process(folder, process.pid)
    except (OSError, ValueError) as err:  # a word that no command line can hold is a ValueError
        shutil.rmtree(folder, ignore_errors=True)  # the parameters in it may be secret
        reason = err.strerror if isinstance(err, OSError) else err
        raise HostError(f"`minihost {arguments[0]}` cannot be started: {reason}.") from err
    finally:
        os.close(descriptor)
    threading.Thread(target=process.wait, daemon=True).start()  # its end is seen, so that no zombie stays
    live_folders.keep_newest(place, KEPT)
    return read(folder)


def settled() -> Path | None:
    """Return the folder that this command was started with, None where a person started it.

    To be called first by such a command: it listens to Ctrl-C even if its starter did not, and says who it is.
    """
    name = os.environ.pop(VARIABLE, "")
    folder = Path(name)
    if not name or not folder.is_dir():
        return None
    signal.signal(signal.SIGINT, signal.default_int_handler)
    note_process(folder, os.getpid())
    return folder


def read(folder: Path) -> Detached:
    """Return what is known of a command by its folder."""
    facts = job_records.read_object(folder / FACTS)
    about, since = facts.get("about"), job_records.seconds(facts.get("since"))
    return Detached(
        folder,
        str(facts.get("command", "")),
        since or live_folders.changed_at(folder),
        about if isinstance(about, dict) else {},
        live_folders.is_alive(folder),
    )


def all_of(project_dir: Path, store: str) -> list[Detached]:
    """Return the commands of a store, the newest first."""
    return [read(folder) for folder in live_folders.newest_first(project_dir / ".minihost" / store)]


def stop(folder: Path) -> str:
    """Interrupt what runs in a folder as Ctrl-C does, kill it at the second call; return what was done.

    Raises `HostError` where nothing can be stopped.
    """
    if not live_folders.is_alive(folder):
        raise HostError("It has ended already.")
    process, machine, is_group = _process(folder)
    if machine != os.uname().nodename:
        raise HostError(f"It runs on {machine}: stop it there.")
    again = (folder / STOP).exists()
    number = signal.SIGKILL if again else signal.SIGINT
    try:
        os.killpg(process, number) if is_group else os.kill(process, number)
    except (ProcessLookupError, PermissionError) as err:
        raise HostError(f"Process {process} cannot be stopped: {err.strerror}.") from err
    with contextlib.suppress(OSError):
        (folder / STOP).touch()
    return "Killed." if again else "It was asked to end, as Ctrl-C does."


def was_stopped(folder: Path) -> bool:
    """Whether somebody stopped what ran in a folder."""
    return (folder / STOP).exists()


def _process(folder: Path) -> tuple[int, str, bool]:
    """Who runs in a folder: its process, its machine, and whether it leads a group of its own."""
    try:
        with open_regular(folder / PROCESS) as stream:
            process, machine = stream.read(1000).decode().split("\n")[:2]
        number = int(process)
    except (OSError, ValueError) as err:
        raise HostError("It is still being started: try again in a moment.") from err
    if number <= 1:  # to the system these mean many processes
        raise HostError(f"{folder / PROCESS} names no process.")
    return number, machine, (folder / FACTS).exists()


def note_process(folder: Path, process: int) -> None:
    """Write who runs in a folder, for `stop`."""
    live_folders.note(folder / PROCESS, f"{process}\n{os.uname().nodename}\n")
