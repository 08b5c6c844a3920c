"""What a flow reads and makes, as pages: folders with their pictures, datasets, models and reports."""

from __future__ import annotations

from flask import Flask

from minihost.ui.objects import dataset_page, files, folder_page
from minihost.ui.workspace import Workspace


def register(app: Flask, workspace: Workspace) -> None:
    """Add the pages of folders and datasets."""
    folder_page.register(app, workspace)
    files.register(app, workspace)
    dataset_page.register(app, workspace)
