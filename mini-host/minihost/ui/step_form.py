"""The form of a step: drawn, checked while somebody types, its choices asked for in the background, saved."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

from flask import Flask, Response, jsonify, render_template, request

from minihost.errors import JobError
from minihost.parameters.forms import as_shown
from minihost.ui import step_choices, step_draft
from minihost.ui.command_lines import command_line, masked
from minihost.ui.component_form import plain_text
from minihost.ui.edits import answered, posted
from minihost.ui.step_draft import Draft
from minihost.ui.step_view import view
from minihost.ui.workspace import Opened, Workspace


def register(app: Flask, workspace: Workspace) -> None:
    """Add `/step` and what its form posts to."""
    app.jinja_env.filters["plain_text"] = plain_text

    @app.get("/step")
    def step() -> str:
        """The form of the step `name`, or of a new one of a `component`.

        The form alone with `part=form`, with its heading with `part=page`.
        """
        opened = workspace.opened()
        part = request.args.get("part", "")
        template = {"form": "step_form.html", "page": "step_draft.html"}.get(part, "step_page.html")
        form = view(_addressed(opened), opened)
        return render_template(template, form=form, base=opened.digest, head=2 if part == "form" else 1)

    @app.post("/step/draft")
    def draft_step() -> str:
        """The form of a step that the panel offers, under a heading of its own."""
        opened = workspace.opened()
        form = view(step_draft.of_change(posted(), opened), opened)
        return render_template("step_draft.html", form=form, base=opened.digest, head=2)

    @app.post("/step/check")
    def check_step() -> Response:
        facts, opened = posted(), workspace.opened()
        draft = step_draft.posted(facts, opened)
        change = step_draft.change(draft, _drawn_for(draft, opened))
        found = view(draft, opened).state()
        line = command(draft, change, opened)
        return jsonify(**found, changed=bool(change), moved=facts.get("base") != opened.digest, command=line)

    @app.post("/step/choices")
    def choices_of_step() -> Response:
        facts, opened = posted(), workspace.opened()
        wanted = _objects(facts.get("fields"))
        paths = {str(item.get("id")): path for item in wanted if isinstance(path := item.get("path"), list)}
        if not paths or len(paths) < len(wanted):
            raise JobError(["`fields` is a list of objects with `id`, a text, and `path`, a list."])
        return jsonify(fields=step_choices.asked(step_draft.posted(facts, opened), paths, opened))

    @app.post("/step/save")
    def save_step() -> Response:
        from minihost.projects.editing import FlowEditor, change_of

        facts, opened = posted(), workspace.opened()
        draft = step_draft.posted(facts, opened)
        change = step_draft.change(draft, _drawn_for(draft, opened))
        if not change:
            raise JobError(["There is nothing to save: the form says what the flow says."])
        base = facts.get("base")
        applied = FlowEditor(workspace.folder, plugins=workspace.plugin_paths).apply(
            change_of(change), base=base if isinstance(base, str) else None
        )
        return answered(workspace, replace(applied, command=command(draft, change, opened)))


def command(draft: Draft, change: dict[str, Any], opened: Opened) -> str:
    """The command line that does what the form does, without passwords; empty where there is nothing to do."""
    if draft.kind == "webapp":
        params = masked(change, opened).get("params", {})
        given = [word for name, value in params.items() for word in ("-p", f"{name}={as_shown(value)}")]
        return shlex.join(["minihost", "webapp", draft.component, *given])
    return command_line(change, opened) if change else ""


def _drawn_for(draft: Draft, opened: Opened) -> Draft | None:
    return step_draft.in_flow(opened, draft.step) if draft.step else None


def _addressed(opened: Opened) -> Draft:
    """The step that the address names, or a new one of the component that it names."""
    name, component, kind = (request.args.get(key, "") for key in ("name", "component", "kind"))
    if not name and not component:
        raise JobError(["Say which step: /step?name=NAME, or /step?component=PLUGIN/COMPONENT&kind=recipe."])
    return (
        step_draft.in_flow(opened, name)
        if name
        else _new(opened, component, kind or "recipe", request.args.get("from", ""))
    )


def _new(opened: Opened, component: str, kind: str, node_id: str) -> Draft:
    """A new step, its roles filled as far as the flow tells; `node_id` is the object that it was chosen for."""
    from minihost.projects.fitting_recipes import offers

    found = opened.catalogue.component(component, (kind,))
    node = opened.graph.by_id.get(node_id)
    made = offers(opened.project, opened.catalogue, node) if kind != "webapp" else []
    offer = next((one for one in made if one.component == found), None)
    draft = Draft(found.full_id if _is_ambiguous(found.id, opened) else found.id, found.kind)
    if offer is None:
        return draft
    return replace(
        draft, inputs=offer.inputs, outputs=offer.outputs, params=dict(offer.params), creates=list(offer.creates)
    )


def _is_ambiguous(component_id: str, opened: Opened) -> bool:
    return sum(one.id == component_id for one in opened.catalogue.components) > 1


def _objects(found: Any) -> list[dict[str, Any]]:
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
