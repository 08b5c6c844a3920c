"""A complete model folder copied into another store, every byte verified on the way."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import replace

from vision_recipes.model_folder import commit
from vision_recipes.model_folder.folder import open_model
from vision_recipes.stores import Store, read_bytes


def copy_model(source: Store, target: Store) -> None:
    """Write the model of one folder into another; the model that was there stays until the copy is complete."""
    model = open_model(source)
    files = model.config.files
    roles = {role: getattr(files, role) for role in commit.ROLES if getattr(files, role) is not None}
    with tempfile.TemporaryDirectory() as workdir:
        paths = {role: model.fetch(entry, workdir, role) for role, entry in roles.items()}
        reports = {}
        with suppress(OSError):
            reports["README.md"] = read_bytes(source, "/README.md", 1 << 20)
        commit.finish(target, replace(model.config, files=commit.put_files(target, paths)), reports)
