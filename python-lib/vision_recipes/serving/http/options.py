"""The command line of vision-serve, checked before anything heavy is loaded."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vision_recipes.errors import ModelFolderError, SettingsError

TOKEN_VARIABLE = "VISION_SERVE_TOKEN"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class ServeOptions:
    """`folders` are model folders by name, none for the default network. `hosts` beside the local names, or "*".

    `max_body` is in bytes, `queue` in pictures, `grace` in seconds.
    """

    folders: dict[str, Path]
    host: str = "127.0.0.1"
    port: int = 8000
    token: str = ""
    hosts: tuple[str, ...] = ()
    max_body: int = 20_000_000
    queue: int = 256
    grace: float = 20.0
    log: Path | None = None


def read_options(arguments: Sequence[str], environment: dict[str, str] | None = None) -> ServeOptions:
    """Return the checked options; raises SettingsError, ModelFolderError, and SystemExit as argparse does."""
    given = _parser().parse_args(arguments)
    hosts = tuple(name.strip().lower().removesuffix(".") for name in given.allow_host)
    if given.host not in LOOPBACK and not hosts:
        raise SettingsError(
            f"--host {given.host} can be reached from other machines: name what they call this one with --allow-host "
            "NAME (several times for several), or allow every name with --allow-host '*'."
        )
    if given.log is not None and not given.log.is_dir():
        raise SettingsError(f"--log {given.log} is not a folder: make it first.")
    return ServeOptions(
        folders=_folders(given.models),
        host=given.host,
        port=given.port,
        token=_token(given.token_file, os.environ if environment is None else environment),
        hosts=hosts,
        max_body=int(given.max_body * 1e6),
        queue=given.queue,
        grace=given.grace,
        log=given.log,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vision-serve",
        description="Answers pictures over HTTP as vision-classify answers files: at /v1/classify, by the Open "
        "Inference Protocol (/v2), and in the form of the DSS API node. /docs describes it.",
    )
    add = parser.add_argument
    add("models", nargs="*", metavar="MODEL_FOLDER", help="a model folder, or several as NAME=FOLDER; none = default")
    add("--host", default="127.0.0.1", help="the address to listen at (127.0.0.1: this machine alone)")
    add("--port", type=_whole(0, 65535), default=8000, help="the port (8000); 0 = any that is free")
    add("--token-file", type=Path, help=f"a file with the token that requests must bring; or set {TOKEN_VARIABLE}")
    add(
        "--allow-host", action="append", default=[], metavar="NAME", help="a name that requests may be sent to; * = any"
    )
    add("--max-body", type=_number(0.001, 2000), default=20.0, metavar="MB", help="the largest body (20 MB)")
    add("--queue", type=_whole(1, 100_000), default=256, metavar="N", help="pictures that may wait for an answer (256)")
    add("--grace", type=_number(0, 3600), default=20.0, metavar="S", help="seconds to finish requests at the end (20)")
    add(
        "--log",
        type=Path,
        metavar="FOLDER",
        help="keep embeddings of what was asked, without pictures, for vision-monitor",
    )
    return parser


def _folders(given: Sequence[str]) -> dict[str, Path]:
    folders: dict[str, Path] = {}
    for one in given:
        name, equals, path = one.partition("=")
        if not equals or Path(one).exists():
            name, path = "", one
        elif not name or not path:
            raise SettingsError(f"The model {one!r} lacks its name or its folder: write NAME=MODEL_FOLDER.")
        folder = Path(path).expanduser()
        if not folder.is_dir():
            raise ModelFolderError(f"The model folder {path!r} does not exist (looked for {folder.absolute()}).")
        if not name and len(given) > 1:
            raise SettingsError(f"Several models need names: write NAME={one}.")
        if name and not _NAME.fullmatch(name):
            raise SettingsError(f"The model name {name!r} is none: use letters, digits, dots, dashes and underscores.")
        name = name or _name_of(folder)
        if name in folders:
            raise SettingsError(f"Two models are named {name!r}.")
        folders[name] = folder
    return folders


def _name_of(folder: Path) -> str:
    """Return a lone model's name: its folder's, where that can be one."""
    name = folder.resolve().name
    return name if _NAME.fullmatch(name) else "model"


def _token(file: Path | None, environment: os._Environ[str] | dict[str, str]) -> str:
    where, token = TOKEN_VARIABLE, environment.get(TOKEN_VARIABLE)
    if file is not None:
        where = f"--token-file {file}"
        try:
            token = file.read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as err:
            raise SettingsError(f"{where} cannot be read: {err}.") from err
    if token is not None and not re.fullmatch(r"[!-~]{8,4096}", token):
        raise SettingsError(f"{where} does not hold a token: at least 8 letters, digits or signs, without blanks.")
    return token or ""


def _whole(low: int, high: int):  # noqa: ANN202 - a type for argparse
    def whole(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return whole


def _number(low: float, high: float):  # noqa: ANN202 - a type for argparse
    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {low:g} to {high:g}")
        return value

    return number
