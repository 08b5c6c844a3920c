"""The web app's side of the host: its parameters, the folders and datasets that they name, and what its page posts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import dataiku
import flask
from dataiku.customwebapp import get_webapp_config

from dss_ports.folders import ManagedFolder
from dss_ports.tables import EditableDataset
from vision_recipes.errors import SettingsError, VisionError

log = logging.getLogger("vision_recipes")

Questions = Mapping[str, Callable[[bytes, Mapping[str, str]], Any]]

OF_THE_PAGE = "X-Requested-With"
"""The header that the page sends with every question; a page of another site cannot, so it cannot post in a visitor's
name."""

LARGEST_FORM = 20_000_000
"""Bytes of a posted form, as the mini-host allows; other hosts may have no limit of their own."""


def webapp_params() -> dict[str, Any]:
    """Return the web app's parameters as the host holds them."""
    return dict(get_webapp_config())


def chosen_folder(name: str) -> ManagedFolder:
    """Return the folder that a parameter of the web app names; raises SettingsError when it is empty."""
    folder = optional_folder(name)
    if folder is None:
        raise SettingsError(f"{name}: no folder is chosen. Choose one in the settings of the web app.")
    return folder


def optional_folder(name: str) -> ManagedFolder | None:
    """Return the folder that a parameter of the web app names, or None when it is empty."""
    chosen = get_webapp_config().get(name)
    return ManagedFolder(dataiku.Folder(chosen)) if chosen else None


def optional_dataset(name: str) -> EditableDataset | None:
    """Return the dataset that a parameter of the web app names, or None when it is empty."""
    chosen = get_webapp_config().get(name)
    return EditableDataset(chosen) if chosen else None


def answered(questions: Questions, name: str) -> tuple[flask.Response, int]:
    """Return the answer to the question that the page posts, as JSON with its status; `error` says what went wrong.

    The form's file `picture` and its other fields go to the function of that name.
    """
    request = flask.request
    if name not in questions or OF_THE_PAGE not in request.headers:
        return flask.jsonify(error="There is nothing here."), 404
    if (request.content_length or 0) > LARGEST_FORM:
        return flask.jsonify(error=f"Pictures may have {LARGEST_FORM // 1_000_000 - 1} MB."), 413
    try:
        posted = request.files.get("picture")
        content = b"" if posted is None else posted.read()
        return flask.jsonify(questions[name](content, request.form.to_dict())), 200
    except VisionError as err:
        log.warning("%s: %s", name, err)
        return flask.jsonify(error=str(err)), 422
    except OSError as err:
        log.exception("%s", name)
        return flask.jsonify(error=f"The server could not take the picture: {err.strerror or err}."), 507
    except Exception as err:
        if isinstance(getattr(err, "code", None), int):  # what Flask answers itself: a body that is too large, say
            raise
        log.exception("%s", name)
        return flask.jsonify(error="Something went wrong on the server; its log says what."), 500
