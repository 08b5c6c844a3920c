"""Outputs in buckets: everything is sent before anything is put in place, there or on the local disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minihost.errors import DataError, Interrupted
from minihost.folders.paths import parts
from minihost.interrupts import interruptible, uninterrupted
from minihost.outputs.stages import Stage


def put_remote(stages: list[Stage]) -> list[Stage]:
    """Put the outputs in their place that the host sends to a bucket, and return the other stages.

    Raises `DataError` when a storage refuses: nothing is changed then, unless it says what. Files that the run made for
    buckets are kept in the folder of the job.
    """
    remote = [stage for stage in stages if hasattr(stage.base, "upload")]
    sent: list[Any] = []
    try:
        with interruptible():
            for stage in remote:
                sent.append(_sent(stage))
        with uninterrupted():
            for upload in list(sent):
                upload.place()
                sent.remove(upload)
    except BaseException as err:
        for upload in sent:
            upload.discard()
        kept = [str(_kept(stage)) for stage in remote] if isinstance(err, DataError) else []
        for stage in stages:
            stage.discard()
        if isinstance(err, KeyboardInterrupt):
            raise Interrupted("Interrupted. Outputs are as they were before.") from None
        if not kept:
            raise
        raise DataError(f"{err} What the run made is kept in {', '.join(kept)}.") from None
    for stage in remote:
        stage.discard()
    return [stage for stage in stages if stage not in remote]


def _sent(stage: Stage) -> Any:
    if stage.kind != "MANAGED_FOLDER":
        return stage.base.upload(stage.data)
    folder = stage.folder
    files = {path: folder.upper.root.joinpath(*parts(path)) for path in folder.upper.paths()}
    left = {*folder.kept(), *files}
    return stage.base.upload(files, [path for path in stage.base.paths() if path not in left])


def _kept(stage: Stage) -> Path:
    place = stage.place.parent.with_name("not-sent") / stage.place.name
    place.parent.mkdir(exist_ok=True)
    return stage.place.rename(place)
