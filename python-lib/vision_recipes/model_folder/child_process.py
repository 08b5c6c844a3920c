"""A conversion in a process of its own: its request goes there as JSON in a file, whose path is the argument."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from vision_recipes import strict_json
from vision_recipes.errors import ModelFolderError

if TYPE_CHECKING:
    import subprocess

REFUSED = 3
"""Exit code of a process whose last line on stderr is a refusal for the user."""

T = TypeVar("T")


def call_main(
    module: str, request: Any, folder: Path, seconds: float, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `main` of a module in another process, its request in `folder`; raises subprocess.TimeoutExpired.

    `environment` is added to that of this process.
    """
    import subprocess

    path = folder / "request.json"
    path.write_text(json.dumps(strict_json.write(request)), encoding="utf-8")
    paths = [str(Path(__file__).resolve().parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.run(
        [sys.executable, "-P", "-c", f"from {module} import main; main()", str(path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=seconds,
        check=False,
    )


def require_done(done: subprocess.CompletedProcess[str], what: str) -> None:
    """Raise ModelFolderError with a process's refusal, RuntimeError that begins with `what` for any other failure."""
    if done.returncode == REFUSED:
        raise ModelFolderError(last_line(done.stderr))
    if done.returncode:
        raise RuntimeError(f"{what} (code {done.returncode}): {last_line(done.stderr)}\n{done.stderr[-4000:]}")


def carry_out(kind: type[T], run: Callable[[T], None]) -> None:
    """Run the request that this process was started with; an error for the user is the last line on stderr."""
    try:
        run(read_request(kind))
    except ModelFolderError as err:
        print(err, file=sys.stderr)
        raise SystemExit(REFUSED) from None


def read_request(kind: type[T]) -> T:
    """Return the request that this process was started with."""
    return strict_json.read(kind, json.loads(Path(sys.argv[1]).read_text("utf-8")), "the request")


def last_line(text: str) -> str:
    """Return the last line of what a process wrote, or words for none."""
    return (text.strip().splitlines() or ["no message"])[-1]
