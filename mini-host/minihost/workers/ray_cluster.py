"""The Ray cluster that `--workers` names: its address and how its CPUs are used, connected, with Ray's errors in plain
words."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from minihost.errors import JobError, counted

CLIENT_PORT = 10001
"""Where Ray Client listens unless a cluster says otherwise."""

SECONDS = 5.0
"""How long an address may take to answer."""

FORMS = "ray, ray://HOST:PORT, and after either ?cpus=2&workers=16"


@dataclass(frozen=True)
class Place:
    """Where on Ray: `address` is that of Ray Client, empty for the cluster of RAY_ADDRESS or one of this machine; each
    worker takes `cpus` of a node; `workers` is how many, 0 for as many as fit."""

    address: str = ""
    cpus: int = 1
    workers: int = 0


def place_of(where: str) -> Place | None:
    """Return the place that a value of `--workers` names, None for one that is not Ray's; raises `JobError`."""
    if not re.match(r"ray($|\?|:)", where):
        return None
    try:
        parts = urlsplit(where)
        named = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing="?" in where))
        numbers = {name: int(named.pop(name)) for name in ("cpus", "workers") if name in named}
        port = parts.port or CLIENT_PORT
    except ValueError:
        raise JobError([_no_place(where)]) from None
    names_host = bool(parts.scheme and parts.hostname) and not parts.path.strip("/")
    if named or min(numbers.values(), default=1) < 1 or not (names_host or (not parts.scheme and parts.path == "ray")):
        raise JobError([_no_place(where)])
    return Place(f"ray://{parts.netloc.removesuffix(f':{port}')}:{port}" if names_host else "", **numbers)


def _no_place(where: str) -> str:
    return f"--workers {where!r} names no place. Possible are: {FORMS}, with numbers from 1."


@contextlib.contextmanager
def connected(place: Place) -> Iterator[Any]:
    """Connect to the cluster and yield the module `ray`; raises `JobError` with what to do about it.

    A Ray that this process started ends with it, one that was connected before stays so.
    """
    if place.address:
        _use_token()
    try:
        import ray
    except ImportError:
        raise JobError(["--workers ray needs the package ray, the extra `ray`: pip install 'ray[client]'."]) from None
    if ray.is_initialized():
        yield ray
        return
    _check_answers(place.address or os.environ.get("RAY_ADDRESS", ""))
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a run reports to nobody
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL, "configure_logging": True}
    try:
        if place.address:
            ray.init(place.address, **quiet)
        else:
            ray.init(include_dashboard=False, **quiet)
    except Exception as err:  # Ray raises many types for what is wrong with a cluster
        ray.shutdown()
        raise JobError([_explained(err, place)]) from err
    try:
        yield ray
    finally:
        with contextlib.suppress(Exception):  # a connection that is gone needs no end
            ray.shutdown()


def _use_token() -> None:
    """Have Ray Client send the token of the user, where there is one; Ray before 2.61 does so only when asked.

    Elsewhere that would be wrong: a process of a cluster without tokens must not ask the others for one.
    """
    places = (os.environ.get("RAY_AUTH_TOKEN_PATH"), Path.home() / ".ray" / "auth_token")
    if os.environ.get("RAY_AUTH_TOKEN") or any(place and Path(place).is_file() for place in places):
        os.environ.setdefault("RAY_AUTH_MODE", "token")


def _check_answers(address: str) -> None:
    """Raise `JobError` when nothing listens at an address: Ray itself would try for half a minute."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), SECONDS).close()
    except OSError as err:
        raise JobError(
            [
                f"No Ray cluster answers at {address}: {err.strerror or err}. Check host and port (Ray Client listens "
                f"on {CLIENT_PORT}, which a firewall or Kubernetes may have to let through)."
            ]
        ) from None


def _explained(err: Exception, place: Place) -> str:
    """What is wrong with a cluster that answers, and what to do about it."""
    text, where = f"{err} {err.__cause__ or ''}", place.address or os.environ.get("RAY_ADDRESS") or "this machine"
    found = re.search(r"Ray: (\S+)\s+Python: (\S+).*Ray: (\S+)\s+Python: (\S+)", text, re.DOTALL)
    if found:
        theirs, their_python, ours, our_python = found.groups()
        return (
            f"The Ray cluster at {where} runs Ray {theirs} on Python {their_python}, and this is Ray {ours} on Python "
            f"{our_python}. Both must be the same: pip install 'ray[client]=={theirs}' in such a Python."
        )
    if "InvalidAuthToken" in text:
        return (
            f"The Ray cluster at {where} has another token: set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN to its token."
        )
    if isinstance(err, ConnectionError) and place.address:
        return (
            f"What answers at {where} is no Ray Client, or does not know this one: {first_line(err)}. Check the port, "
            f"which is not that of the cluster's own processes (6379) nor of its dashboard (8265) but usually "
            f"{CLIENT_PORT}; and set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN for a cluster that has a token."
        )
    return f"Ray could not be started or reached at {where}: {first_line(err)}"


def colourless(text: str) -> str:
    """A text without the colours that Ray gives it."""
    return re.sub(r"\x1b\[\d+m", "", text)


def first_line(err: BaseException) -> str:
    """The first line of what an error says, without colours; its type where it says nothing."""
    text = colourless(str(err)).strip()
    return text.splitlines()[0].rstrip(".") if text else type(err).__name__


def unplaced(ray: Any, place: Place, waiting: int) -> str:
    """Say why workers have no place yet: what they ask for, what the cluster has, what of it is free."""
    total, free = ray.cluster_resources().get("CPU", 0), ray.available_resources().get("CPU", 0)
    largest = max((node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]), default=0)
    asked = f"{counted(waiting, 'worker')} of {counted(place.cpus, 'CPU')}"
    text = f"No place for {asked} yet: {free:g} of the cluster's {total:g} CPUs are free"
    if largest < place.cpus:
        return f"{text}, and its largest node has {largest:g}. Ask for fewer (?cpus={max(1, int(largest))})."
    return f"{text}. They begin when some are."


def no_host(err: BaseException) -> str:
    """What to do where an actor could not even begin: nearly always, the node lacks the host."""
    text = colourless(str(err))
    missing = re.findall(r"ModuleNotFoundError: No module named '([\w.]+)'", text)
    what = f"module {missing[-1]} is missing there" if missing else text.strip().splitlines()[-1]
    return (
        f"A worker cannot begin on the Ray cluster: {what}. Its nodes need this host and the plugin in the same "
        "versions, in the Python that Ray runs with."
    )


def how_lost(err: BaseException) -> str:
    """How a worker was lost, completing "Worker 2 …"."""
    import ray

    if isinstance(err, ray.exceptions.OutOfMemoryError):
        return "was killed by Ray, because the memory of its node ran out"
    if isinstance(err, ray.exceptions.RayActorError):
        return "died, or its node did"
    if isinstance(err, ray.exceptions.RayTaskError):
        return f"failed ({type(err.cause).__name__}: {first_line(err.cause)})"
    return f"is lost ({first_line(err)})"
