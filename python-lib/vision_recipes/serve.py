"""From model folders to an endpoint that answers pictures: the command vision-serve."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from vision_recipes.errors import SettingsError, VisionError
from vision_recipes.serving.http.options import LOOPBACK, ServeOptions, read_options
from vision_recipes.stores import LocalStore, Store

if TYPE_CHECKING:
    from vision_recipes.model_folder import Model
    from vision_recipes.serving.embedding_log import EmbeddingLog
    from vision_recipes.serving.serving_limits import ServingLimits

log = logging.getLogger("vision_recipes")
DEFAULT_NAME = "default"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code. A user's error is one sentence."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    try:
        serve(read_options(sys.argv[1:] if arguments is None else arguments))
    except VisionError as err:
        print(f"vision-serve: {err}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # while the models are loaded
        return 130
    return 0


def serve(options: ServeOptions) -> None:
    """Answer requests until a signal ends it; prints the address when it is ready.

    Raises SettingsError, ModelFolderError, DeviceError.
    """
    started = time.perf_counter()
    try:
        from vision_recipes.serving.http import server
        from vision_recipes.serving.http.application import application
    except ModuleNotFoundError as err:
        raise SettingsError(
            f"The package {err.name!r} is missing: install what the endpoint needs with pip install starlette uvicorn "
            "httptools prometheus-client multipart."
        ) from err
    from vision_recipes.serving.http.gate import LOCAL_NAMES, Gate
    from vision_recipes.serving.served_models import ServedModels

    with server.bind(options.host, options.port) as bound:
        models = ServedModels(_stores(options), limits=_limits(options), open_log=_open_log(options))
        try:
            gate = Gate((*LOCAL_NAMES, *options.hosts), options.token)
            ending = threading.Event()
            app = application(models, gate, options.max_body, ending)
            if not options.token and options.host not in LOOPBACK:
                log.warning("no token: everyone who reaches %s may ask", server.address_of(bound))

            def announce() -> None:
                names, seconds = ", ".join(models.names()), time.perf_counter() - started
                print(f"{server.address_of(bound)} answers with {names} (ready in {seconds:.1f} s)", flush=True)

            server.server(app, options.grace, ending, announce).run([bound])
        finally:
            models.close(options.grace)


def _stores(options: ServeOptions) -> Mapping[str, Store]:
    if options.folders:
        return {name: LocalStore(folder, folder.name) for name, folder in options.folders.items()}
    from vision_recipes.default_model import open_default

    return {DEFAULT_NAME: open_default().store}


def _limits(options: ServeOptions) -> ServingLimits:
    """Return limits with room for the largest body, and for as many as may be held (see http.bodies)."""
    from vision_recipes.serving.http.bodies import HELD_BODIES
    from vision_recipes.serving.serving_limits import PICTURE, ServingLimits

    picture = replace(PICTURE, file_bytes=max(PICTURE.file_bytes, options.max_body))
    return ServingLimits(picture, options.queue, HELD_BODIES * picture.file_bytes)


def _open_log(options: ServeOptions) -> Callable[[Model], EmbeddingLog] | None:
    """Return what opens the log of a model's embeddings; None without --log."""
    if options.log is None:
        return None
    from vision_recipes.model_folder.reference_pictures import feature_width
    from vision_recipes.serving.embedding_log import EmbeddingLog

    folder = LocalStore(options.log, options.log.name)

    def open_log(model: Model) -> EmbeddingLog:
        width = feature_width(model.config) if model.config.head is not None else None
        return EmbeddingLog(folder, model.folder_hash, width=width)

    return open_log


if __name__ == "__main__":
    sys.exit(main())
