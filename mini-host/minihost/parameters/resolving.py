"""From what a user gave to the configuration that a component gets, with every mistake on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from minihost.parameters import mistakes
from minihost.parameters.forms import (
    UNTOUCHED,
    BadValue,
    Form,
    choices_of,
    default_of,
    expected,
    form_of,
    from_text,
    named,
    tidy,
    untouched,
)
from minihost.parameters.mistakes import Place
from minihost.parameters.plain import plain
from minihost.parameters.schema import ParameterSets, inner_params, is_mandatory, schema, shown
from minihost.parameters.visibility import condition
from minihost.suggestions import did_you_mean, nearest, one_of

LISTED = 12
"""Up to so many parameters are all named beside a suggestion."""


@dataclass(frozen=True)
class Given:
    """What a user gave: values (from JSON or YAML) and texts (from the command line, which win).

    `is_open` says that unknown names are let through: the component draws its own form, or declares nothing.
    `is_strict` says that an unknown name among the values is a mistake, as it is among the texts. `is_partial` says
    that nothing is missing yet: a form is still being filled in. `is_unopened` says that nobody may ever have seen the
    form, as with an administrator's settings of a plugin: then a box that nobody ticked is absent, not false.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    texts: tuple[tuple[str, str], ...] = ()
    is_open: bool = False
    is_strict: bool = False
    is_partial: bool = False
    is_unopened: bool = False


@dataclass
class Resolved:
    """A configuration with defaults and presets filled in, with mistakes and warnings.

    `unknown` are the mistakes about names that nothing declares. They come first in a report, because what seems to be
    missing may stand under a name with a typing mistake.
    """

    config: dict[str, Any] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    """Names whose mistake is already reported."""
    places: dict[str, Place] = field(default_factory=dict)
    """Mistake -> where it is, as far as it is in one place."""

    def refuse(self, name: str, sentence: str) -> None:
        """Report the mistake of one parameter."""
        self.refused.add(name)
        self.mistakes.append(sentence)
        self.places[sentence] = (name,)


def resolve(params: Iterable[dict[str, Any]], given: Given, sets: ParameterSets) -> Resolved:
    """Answer the configuration: integers are integers, defaults are there also when hidden, nothing else is added.

    Hidden parameters keep their values. Unknown names among the values are warnings unless the user's wishes are
    strict, among the texts mistakes.
    """
    params = list(params)
    answer = Resolved(config=plain(dict(given.values)))
    declared = {param["name"]: param for param in named(params)}
    for name, text in given.texts:
        _take_text(answer, name, text, declared, sets, given.is_open)
    _tidy_all(answer, declared, sets)
    unknown = [] if given.is_open else list(_unknown_names(given.values, params, sets))
    if given.is_strict:
        answer.unknown += unknown
    else:
        answer.warnings += [f"{sentence} It is passed on." for sentence in unknown]
    answer.warnings += [
        problem for param in named(params) if (problem := condition(param.get("visibilityCondition")).warning)
    ]
    answer.config = filled(_declaring(params) if given.is_unopened else params, answer.config, sets)
    checked = {
        name: value
        for name, value in answer.config.items()
        if name not in answer.refused and not _is_empty(value, declared.get(name))
    }
    wanted = schema(params, answer.config, sets)
    passed_over = answer.refused | _meant(given, declared)
    wanted["required"] = [name for name in wanted["required"] if name not in passed_over and not given.is_partial]
    found = mistakes.find(checked, wanted)
    answer.mistakes += found
    answer.places |= found
    answer.secrets = list(secrets(params, answer.config, sets))
    return answer


def _meant(given: Given, declared: Mapping[str, Any]) -> set[str]:
    """Return the parameters that misspelt names obviously mean: those are not said to be missing as well."""
    names = [name for name, _text in given.texts] + (list(given.values) if given.is_strict else [])
    return {near for name in names if name not in declared for near in nearest(name, declared)}


def _declaring(params: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The parameters without those that start as false or empty with no default of their own."""
    return [param for param in params if form_of(param) not in UNTOUCHED or param.get("defaultValue") is not None]


def filled(params: Iterable[dict[str, Any]], config: Mapping[str, Any], sets: ParameterSets) -> dict[str, Any]:
    """A configuration with every default added, in presets and rows too; of two of one name the shown one's counts."""
    params = list(params)
    answer = dict(config)
    for chosen in (None, shown):
        # Visibility may depend on defaults, and which default counts on visibility: so first all, then the shown ones.
        candidates = named(params) if chosen is None else chosen(params, answer).params.values()
        for param in candidates:
            if param["name"] not in config:
                value = untouched(param)
                if value is not None:
                    answer[param["name"]] = value
    for param in named(params):
        _fill_inside(answer, param, sets)
    return answer


def _fill_inside(config: dict[str, Any], param: dict[str, Any], sets: ParameterSets) -> None:
    name, form = param["name"], form_of(param)
    value = config.get(name)
    if form is Form.PRESET:
        inner = inner_params(param, sets)
        if isinstance(value, dict):
            config[name] = filled(inner, value, sets)
        elif value in (None, "") and _is_whole(inner, defaults := filled(inner, {}, sets)):
            config[name] = defaults
    elif form in (Form.ROWS, Form.PRESETS) and isinstance(value, list):
        inner = inner_params(param, sets)
        config[name] = [filled(inner, row, sets) if isinstance(row, dict) else row for row in value]


def _is_whole(params: list[dict[str, Any]], config: dict[str, Any]) -> bool:
    """Whether the defaults alone make a usable preset: otherwise one that nobody chose stays absent."""
    form = shown(params, config)
    has_any = any(default_of(param) is not None for param in named(_declaring(params)))
    return has_any and all(name in config for name in form.visible if is_mandatory(form.params[name]))


def _take_text(
    answer: Resolved, name: str, text: str, declared: dict[str, dict[str, Any]], sets: ParameterSets, is_open: bool
) -> None:
    head, _, rest = name.partition(".")
    if name in declared:
        _put_text(answer, answer.config, declared[name], name, text)
    elif rest and head in declared and form_of(declared[head]) in (Form.PRESET, Form.MAP):
        _take_dotted(answer, declared[head], name, text, sets)
    elif is_open:
        answer.config[name] = from_text(text, {"name": name, "type": "ANY"})
    else:
        answer.unknown.append(_no_parameter(name, declared, sets))


def _take_dotted(answer: Resolved, owner: dict[str, Any], name: str, text: str, sets: ParameterSets) -> None:
    head, _, rest = name.partition(".")
    held = answer.config.get(head)
    inside = dict(held) if isinstance(held, dict) else {}
    if form_of(owner) is Form.MAP:
        inside[rest] = text
    elif owner.get("parameterSetId") not in sets:  # a set of another plugin: nothing is known of it
        inside[rest] = from_text(text, {"name": rest, "type": "ANY"})
    else:
        inner = {param["name"]: param for param in named(inner_params(owner, sets))}
        if rest not in inner:
            answer.unknown.append(_no_parameter(rest, inner, sets, (head,)))
            return
        _put_text(answer, inside, inner[rest], name, text)
    answer.config[head] = inside


def _put_text(answer: Resolved, config: dict[str, Any], param: dict[str, Any], name: str, text: str) -> None:
    try:
        config[param["name"]] = from_text(text, param)
    except BadValue:
        config[param["name"]] = text  # the schema says what is wrong with it, at the same place as for other values
        if not text:  # which as a value would count as not given
            answer.refuse(name.partition(".")[0], mistakes.wrong(name, text, expected(param)))


def _tidy_all(answer: Resolved, declared: dict[str, dict[str, Any]], sets: ParameterSets) -> None:
    """Tidy every value, and note those that cannot be."""
    for name, value in answer.config.items():
        if name in declared:
            try:
                answer.config[name] = _tidied(value, declared[name], sets)
            except BadValue:
                received = "(not shown)" if declared[name].get("type") == "PASSWORD" else value
                answer.refuse(name, mistakes.wrong(name, received, expected(declared[name])))


def _tidied(value: Any, param: dict[str, Any], sets: ParameterSets) -> Any:
    form = form_of(param)
    if form is Form.PRESET and isinstance(value, dict):
        return _tidied_object(value, inner_params(param, sets), sets)
    if form in (Form.ROWS, Form.PRESETS) and isinstance(value, list):
        inner = inner_params(param, sets)
        return [_tidied_object(row, inner, sets) if isinstance(row, dict) else row for row in value]
    return tidy(value, param)


def _tidied_object(value: dict[str, Any], params: list[dict[str, Any]], sets: ParameterSets) -> dict[str, Any]:
    inner = {param["name"]: param for param in named(params)}
    return {key: _tidied(item, inner[key], sets) if key in inner else item for key, item in value.items()}


def _unknown_names(
    values: Mapping[str, Any], params: Iterable[dict[str, Any]], sets: ParameterSets, path: tuple[str | int, ...] = ()
) -> Iterator[str]:
    """A sentence for each name that nothing declares, at the top and inside presets and rows."""
    declared = {param["name"]: param for param in named(params)}
    for name in values:
        if name not in declared:
            yield _no_parameter(str(name), declared, sets, path)
    for name, param in declared.items():
        inner = inner_params(param, sets)
        value = values.get(name)
        if inner and isinstance(value, dict):
            yield from _unknown_names(value, inner, sets, (*path, name))
        elif inner and isinstance(value, list):
            for number, row in enumerate(value):
                if isinstance(row, dict):
                    yield from _unknown_names(row, inner, sets, (*path, name, number))


def _no_parameter(
    name: str, declared: Mapping[str, dict[str, Any]], sets: ParameterSets, path: tuple[str | int, ...] = ()
) -> str:
    presets = [param for param in declared.values() if form_of(param) is Form.PRESET]
    inside = [f"{preset['name']}.{item['name']}" for preset in presets for item in named(inner_params(preset, sets))]
    near = did_you_mean(name, [*declared, *(known for known in inside if known != name)])
    listing = f" {mistakes.dotted(path) + ' has' if path else 'Parameters'}: {one_of(declared)}."
    listing = listing if len(declared) <= LISTED or not near else ""
    return f"There is no parameter {mistakes.dotted((*path, name))!r}.{near}{listing}"


def _is_empty(value: Any, param: dict[str, Any] | None) -> bool:
    """Whether a value counts as not given: None, an empty text, list or object that is not itself a choice."""
    if value is None or value == "":
        return param is None or value not in (choices_of(param) or [])
    return bool(value in ([], {}) and param is not None and param.get("mandatory"))


def secrets(params: Iterable[dict[str, Any]], config: Mapping[str, Any], sets: ParameterSets) -> Iterable[str]:
    """The values that must not be shown to anybody."""
    for param in named(params):
        value = config.get(param["name"])
        if param.get("type") in ("PASSWORD", "CREDENTIAL_REQUEST"):
            yield from _texts(value)
        elif form_of(param) is Form.PRESET and isinstance(value, dict):
            yield from secrets(inner_params(param, sets), value, sets)
        elif form_of(param) in (Form.ROWS, Form.PRESETS) and isinstance(value, list):
            inner = inner_params(param, sets)
            for row in value:
                if isinstance(row, dict):
                    yield from secrets(inner, row, sets)


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str) and value:
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
