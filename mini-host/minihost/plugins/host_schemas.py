"""The JSON Schemas of the section `minihost`: of components, and of output roles."""

from __future__ import annotations

from typing import Any

from minihost.parameters.declarations import RULE, key
from minihost.plugins.worker_section import NAME as WORKERS

Schema = dict[str, Any]
OURS = {RULE: "host-section"}
"""Every node of these schemas breaks the same rule."""


def of_output_role() -> Schema:
    """The section of an output role."""
    return key(
        "For the mini-host",
        "A folder that only saves work is a cache: written in place, shared between steps.",
        **OURS,
        type="object",
        required=["cache"],
        additionalProperties=False,
        properties={"cache": {**OURS, "type": "boolean"}},
    )


def of_component(kind: str) -> Schema:
    """The section of a component; recipes have more to say than others."""
    properties = {
        "example": _text("The command that `minihost show` prints."),
        "next": key("Next", "Commands to print after a run.", **OURS, type="array", items={**OURS, "type": "string"}),
        "page": _text("A file to name after a run, such as {model}/report/index.html."),
    }
    if kind == "recipe":
        properties[WORKERS] = _workers()
    return key(
        "For the mini-host",
        "What the component says to the mini-host alone; DSS ignores it.",
        **OURS,
        type="object",
        additionalProperties=False,
        properties=properties,
    )


def _workers() -> Schema:
    part = {
        "parts": _text("The input role of the merging recipe that takes the parts."),
        "merged": _text("The output role of the merging recipe that is the whole."),
    }
    return key(
        "Workers",
        "How `minihost run --workers` shares the recipe out: over the files of a folder.",
        **OURS,
        type="object",
        required=["folder"],
        additionalProperties=False,
        properties={
            "folder": _text("The input role of the folder."),
            "merge": _text("The recipe that joins the parts."),
            "parts": key(
                "Parts",
                "Output role -> the roles of the merging recipe.",
                **OURS,
                type="object",
                additionalProperties={
                    **OURS,
                    "type": "object",
                    "required": list(part),
                    "additionalProperties": False,
                    "properties": part,
                },
            ),
            "cache": _text("In place of merge and parts: the output role that the shards fill."),
        },
    )


def _text(description: str) -> Schema:
    return {**OURS, "type": "string", "description": description}
