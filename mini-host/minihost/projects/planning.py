"""Turns what a user asked for into a job, or says everything that is wrong with it at once; nothing is started here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from minihost.datasets import sql
from minihost.errors import JobError
from minihost.folders import is_remote
from minihost.host import hooks
from minihost.job import Job, Reference
from minihost.parameters.resolving import Given, Resolved, resolve
from minihost.plugins import Component, Plugin, Role, host_section
from minihost.plugins.discovery import Catalogue
from minihost.plugins.foreign_kinds import why_not_run
from minihost.plugins.manifests import parameters
from minihost.projects import choices, foreign_tables, partitions, plugin_settings
from minihost.projects.flow import Step
from minihost.projects.project import Project
from minihost.suggestions import did_you_mean, nearest, one_of


@dataclass(frozen=True)
class Request:
    """One run as a user asks for it: which component, what fills its roles, its parameters.

    `inputs` and `outputs` are (role, reference) pairs; without `overwrite` no table is replaced that an earlier run
    read; `partition` is the one that partitioned ones are read and written by; `ask_choices` says whether dynamic
    choices are asked for; `is_form` says that the request is a form that is still being filled in, so that nothing is
    missing yet; `mistakes` are those already found when the request was read.
    """

    component: str
    inputs: tuple[tuple[str, str], ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()
    params: Given = field(default_factory=Given)
    settings: Given = field(default_factory=Given)
    kinds: tuple[str, ...] = ("recipe", "macro")
    streams_only: bool = False
    partition: str = ""
    overwrite: bool = True
    ask_choices: bool = True
    is_form: bool = False
    mistakes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for side in ("inputs", "outputs"):
            pairs = tuple((role, sql.guarded(ref)) for role, ref in getattr(self, side))
            object.__setattr__(self, side, pairs)


@dataclass(frozen=True)
class Plan:
    """A job that may start, and warnings about it."""

    job: Job
    component: Component
    warnings: tuple[str, ...] = ()


@dataclass
class Mistakes:
    """What is wrong with a request. `names` are about names that do not exist; they come first, because what seems to
    be missing may stand under a name with a typing mistake."""

    names: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def all(self) -> list[str]:
        """Return every mistake, those about names first."""
        return [*self.names, *self.others]


def of_step(step: Step, *, ask_choices: bool, is_form: bool = False, streams_only: bool = False) -> Request:
    """Return the request of a step of a flow, in which an unknown name is a mistake."""
    return Request(
        component=step.component,
        inputs=step.inputs,
        outputs=step.outputs,
        params=Given(step.params, is_strict=True),
        kinds=(step.kind,),
        partition=step.partition,
        ask_choices=ask_choices,
        is_form=is_form,
        streams_only=streams_only,
    )


def plan(request: Request, catalogue: Catalogue, project: Project) -> Plan:
    """Make the job of a request; raise `JobError` with every mistake when there is one."""
    mistakes = Mistakes(list(request.mistakes))
    try:
        component = catalogue.component(request.component, request.kinds)
    except JobError as err:
        raise JobError(mistakes.all() + err.mistakes) from err
    if not request.is_form and (reason := why_not_run(component)):
        raise JobError([reason])
    plugin = catalogue.plugin(component.plugin_id)
    mistakes.others += [] if request.is_form else _unable(component)
    job = _job(component, plugin, project)
    job.inputs = _filled(project, component, "input", request, mistakes)
    job.outputs = _filled(project, component, "output", request, mistakes)
    mistakes.others += partitions.mistakes(job.inputs, request.partition, output=False)
    mistakes.others += partitions.mistakes(job.outputs, request.partition, output=True)
    wishes, unfilled = _with_dataset_of_chart(component, request.params, project)
    params = resolve_params(component, plugin, replace(wishes, is_partial=request.is_form))
    settings = plugin_settings.given(plugin, request.settings, project, mistakes.others)
    settings = replace(settings, is_partial=request.is_form, is_unopened=True)
    of_plugin = resolve(parameters(plugin.descriptor), settings, plugin.parameter_sets)
    named = project.places_in(component.params, params.config)
    mistakes.names += params.unknown + [f"Plugin setting: {mistake}" for mistake in of_plugin.unknown]
    mistakes.others += params.mistakes + plugin_settings.explained(plugin, of_plugin.mistakes)
    mistakes.others += [] if request.is_form else _chart_without_data(component, named, project)
    job.config, job.plugin_config = params.config, of_plugin.config
    job.others = [*named, *project.others([*job.inputs, *named], job.outputs)]
    job.plugins = {found.id: str(found.root) for found in catalogue.plugins}
    job.streams_only = request.streams_only
    used = [one.path for one in (*job.inputs, *job.outputs, *job.others)]
    job.secrets = params.secrets + of_plugin.secrets + sql.secrets(used)
    for answer in [] if request.is_form else hooks().minihost_check_job(job=job, component=component):
        mistakes.others += answer
    if mistakes.all():
        raise JobError(mistakes.all())
    given = {*request.params.values, *(name for name, _ in request.params.texts)}
    unusual = choices.unusual(job, component, given) if request.ask_choices else ()
    return Plan(job, component, (*params.warnings, *of_plugin.warnings, *unfilled, *unusual))


def question(request: Request, catalogue: Catalogue, project: Project) -> Job:
    """Make a job that only asks for choices, by the same checks as a run; what is not filled in yet is no mistake."""
    return plan(replace(request, is_form=True, ask_choices=False), catalogue, project).job


def _unable(component: Component) -> list[str]:
    """Why a component cannot run here at all."""
    if component.kind == "webapp" and str(component.descriptor.get("hasBackend", "false")).lower() != "true":
        return []
    if component.runner.is_file():
        return []
    return [f"{component.full_id} has no {component.runner.name}, so it cannot run."]


def _dataset_parameter(component: Component) -> str | None:
    """The name of the parameter that takes the dataset which a custom chart draws, None where there is none."""
    chart = component.descriptor.get("chart") if component.kind == "webapp" else None
    name = chart.get("datasetParamName") if isinstance(chart, dict) else None
    return name if name in [param.get("name") for param in component.params] else None


def _with_dataset_of_chart(component: Component, given: Given, project: Project) -> tuple[Given, list[str]]:
    """What was given, with the dataset of a custom chart where the project has just one, and what to say otherwise."""
    name = _dataset_parameter(component)
    if name is None or name in given.values or name in dict(given.texts):
        return given, []
    datasets = project.names("DATASET")
    if len(datasets) == 1:
        return replace(given, texts=((name, datasets[0]), *given.texts)), []
    return given, [f"No dataset to draw was chosen: -p {name}=NAME. Names: {one_of(datasets)}."]


def _chart_without_data(component: Component, named: list[Reference], project: Project) -> list[str]:
    """Why a custom chart has nothing to draw: the dataset it is to draw does not exist."""
    name = _dataset_parameter(component)
    return [
        f"The dataset {one.name!r} of the parameter {name!r} does not exist ({one.path})."
        f"{did_you_mean(one.name, project.names(one.type))} Names: {one_of(project.names(one.type))}."
        for one in named
        if name is not None
        and one.role == name
        and not (is_remote(one.path) or sql.is_sql(one.path) or Path(one.path).exists())
    ]


def _job(component: Component, plugin: Plugin, project: Project) -> Job:
    """A job with what does not depend on the user's wishes."""
    return Job(
        plugin_id=plugin.id,
        plugin_root=str(plugin.root),
        component_id=component.id,
        kind=component.kind,
        runner=str(component.runner),
        project_key=project.key,
        project_dir=str(project.dir),
        work_dir="",
        variables=project.variables,
        descriptor=component.descriptor,
        plugins={plugin.id: str(plugin.root)},
        recipes=project.recipes(),
    )


def resolve_params(component: Component, plugin: Plugin, given: Given) -> Resolved:
    """A component's configuration; unknown names pass where it draws its own form or declares no parameters."""
    chart = component.descriptor.get("chart")
    own_form = "paramsTemplate" in component.descriptor or (isinstance(chart, dict) and "leftBarTemplate" in chart)
    is_open = not component.params or own_form
    return resolve(component.params, replace(given, is_open=is_open), plugin.parameter_sets)


def has_roles(component: Component) -> bool:
    """Whether a recipe names its inputs and outputs; an old one without takes whatever it is given."""
    descriptor = component.descriptor
    return component.kind != "recipe" or "inputRoles" in descriptor or "outputRoles" in descriptor


def _filled(project: Project, component: Component, side: str, request: Request, mistakes: Mistakes) -> list[Reference]:
    """The references of one side; unknown, missing and overfull roles go to the mistakes."""
    roles, pairs = (component.inputs, request.inputs) if side == "input" else (component.outputs, request.outputs)
    by_name = {role.name: role for role in roles}
    given: dict[str, list[str]] = {}
    for name, ref in pairs:
        given.setdefault(name, []).append(ref)
    meant: set[str] = set()
    for name in [name for name in given if name not in by_name]:
        if has_roles(component):
            near = _other_side(component, side, name) or did_you_mean(name, by_name) or _folder_parameter(component)
            meant.update(nearest(name, by_name))
            mistakes.names.append(f"There is no {side} role {name!r}.{near} Roles: {one_of(by_name)}.")
        else:
            by_name[name] = Role(name, many=True, accepts_folder=True)
    references: list[Reference] = []
    for role in by_name.values():
        refs = given.get(role.name, [])
        if role.required and not refs and not request.is_form and role.name not in meant:
            hint = f"{_what_fills(role)} is expected ({_flag(side)} {role.name}=…)"
            mistakes.others.append(f"The {side} role {role.name!r} is empty: {hint}.")
        if len(refs) > 1 and not role.many:
            text = f"The {side} role {role.name!r} takes one thing, not {len(refs)}: {', '.join(refs)}."
            mistakes.others.append(text)
        for ref in refs:
            try:
                references.append(found := project.reference(role, ref, output=side == "output"))
                if (
                    side == "output"
                    and not request.overwrite
                    and (refused := foreign_tables.refusal(found, ref, project.dir))
                ):
                    mistakes.others.append(refused)
            except JobError as err:
                mistakes.others += err.mistakes
    return references


def _other_side(component: Component, side: str, name: str) -> str:
    """How to fill a role that was named on the wrong side; with a leading space."""
    other, roles = ("output", component.outputs) if side == "input" else ("input", component.inputs)
    return f" It is an {other} role: {_flag(other)} {name}=…." if any(role.name == name for role in roles) else ""


def _folder_parameter(component: Component) -> str:
    """How to name the folder that a macro fills, which has no roles; with a leading space."""
    keys = host_section.keys_of_macro_roles(component) if component.kind == "macro" else []
    return f" A macro takes its folder as a parameter: -p {keys[0]}=FOLDER." if keys else ""


def _what_fills(role: Role) -> str:
    kinds = {"a dataset": role.accepts_dataset, "a folder": role.accepts_folder, "a saved model": role.accepts_model}
    return " or ".join(kind for kind, accepted in kinds.items() if accepted) or "nothing known"


def _flag(side: str) -> str:
    return "-i" if side == "input" else "-o"
