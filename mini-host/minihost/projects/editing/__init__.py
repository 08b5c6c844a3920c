"""Edits of a flow.yaml that keep its comments, order and style."""

from minihost.projects.editing.change_requests import change_of
from minihost.projects.editing.changes import (
    AddDataset,
    AddFolder,
    AddPlugin,
    AddStep,
    Change,
    CopyStep,
    Remove,
    Rename,
    SetStep,
    Undo,
)
from minihost.projects.editing.flow_editor import Applied, FlowConflict, FlowEditor
from minihost.projects.editing.flow_file import Version

__all__ = [
    "AddDataset",
    "AddFolder",
    "AddPlugin",
    "AddStep",
    "Applied",
    "Change",
    "CopyStep",
    "FlowConflict",
    "FlowEditor",
    "Remove",
    "Rename",
    "SetStep",
    "Undo",
    "Version",
    "change_of",
]
