"""The panel beside the flow: what the chosen object or step is, what can be done with it, what can come next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, abort, render_template, request

from minihost.plugins import Component
from minihost.projects.fitting_recipes import Offer, offers
from minihost.projects.flow_graph import FlowGraph, Node
from minihost.ui.graph.icons import icon
from minihost.ui.objects import folder_page, places
from minihost.ui.workspace import Opened, Workspace

SURE = 4
"""Offers that fit at least so well are shown first."""


@dataclass(frozen=True)
class Choice:
    """An offer as the panel shows it: a click adds the step, or opens its form where something is missing."""

    component: Component
    plugin: str
    change: dict[str, Any]
    missing: tuple[str, ...]
    is_sure: bool
    icon: str


def register(app: Flask, workspace: Workspace) -> None:
    """Add `/panel?id=NODE`; without an id it offers every step, and new folders and datasets."""

    @app.get("/panel")
    def panel() -> str:
        opened, node_id = workspace.opened(), request.args.get("id", "")
        if not node_id:
            return render_template("panel_add.html", choices=_choices(opened, None))
        node = opened.graph.by_id.get(node_id) or abort(404, f"The flow has no {node_id!r} any more.")
        facts = workspace.known().steps
        if node.is_step:
            made = [opened.graph.by_id[edge.target] for edge in opened.graph.edges if edge.source == node.id]
            after = {one.name: _choices(opened, one) for one in _without_caches(opened.graph, node, made)}
            return render_template("panel_step.html", node=node, facts=facts.get(node.name, {}), after=after)
        makers, readers = opened.graph.makers(node.id), opened.graph.readers(node.id)
        choices = _choices(opened, node)
        report = folder_page.report_of(places.found(opened, "folder", node.name)) if node.kind == "folder" else ""
        return render_template(
            "panel_object.html",
            node=node, makers=makers, readers=readers, facts=facts, choices=choices, report=report,
        )  # fmt: skip


def _without_caches(graph: FlowGraph, node: Node, made: list[Node]) -> list[Node]:
    caches = {edge.target for edge in graph.edges if edge.source == node.id and edge.is_cache}
    return [one for one in made if one.id not in caches]


def _choices(opened: Opened, node: Node | None) -> list[Choice]:
    return [_choice(offer, opened) for offer in offers(opened.project, opened.catalogue, node)]


def _choice(offer: Offer, opened: Opened) -> Choice:
    component = offer.component
    plugin = opened.catalogue.plugin(component.plugin_id)
    label = str((plugin.descriptor.get("meta") or {}).get("label") or plugin.id)
    ids = [one.full_id for one in opened.catalogue.components if one.id == component.id and one.kind == component.kind]
    change = {
        "kind": "add_step",
        "component": component.id if len(ids) == 1 else component.full_id,
        "component_kind": component.kind,
        "inputs": offer.inputs,
        "outputs": offer.outputs,
        "params": offer.params,
        "creates": list(offer.creates),
    }
    drawn = icon(Node(component.kind, component.id, component.id), (), is_cache=False)
    return Choice(component, label, change, offer.missing, offer.fit >= SURE and not offer.missing, drawn)
