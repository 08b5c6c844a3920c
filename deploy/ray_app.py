"""vision-serve as an application of Ray Serve: build_app, which deploy/ray_serve.yaml names.

Ray takes the requests and starts as many replicas as asked for; each has the models to itself. What guards a connection
of vision-serve (slow clients, doubled headers) is not in Ray's own server: put a gateway before it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ray import serve
from ray.serve import Application

LARGEST_BODY = 20_000_000
GRACE_SECONDS = 20.0


def build_app(args: Mapping[str, Any]) -> Application:
    """Return the application; `args` has `models`, the folder of each model by name, as every node sees it."""
    folders = dict(args["models"])
    return serve.deployment(serve.ingress(lambda: replica(folders))(), name="vision-serve").bind()


def replica(folders: Mapping[str, str]) -> Any:
    """Return the ASGI application of a replica, in its process; when it ends, accepted requests are finished."""
    import asyncio
    import threading
    from contextlib import asynccontextmanager

    from starlette.applications import Starlette
    from starlette.routing import Mount

    from vision_recipes.serving.http.application import application
    from vision_recipes.serving.http.gate import Gate
    from vision_recipes.serving.served_models import ServedModels
    from vision_recipes.stores import LocalStore

    models = ServedModels({name: LocalStore(folder, name) for name, folder in folders.items()})
    gate, ending = Gate(("*",), os.environ.get("VISION_SERVE_TOKEN", "")), threading.Event()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> Any:
        yield
        ending.set()
        await asyncio.to_thread(models.close, GRACE_SECONDS)

    inner = application(models, gate, LARGEST_BODY, ending)
    return Starlette(routes=[Mount("/", app=inner)], lifespan=lifespan)
