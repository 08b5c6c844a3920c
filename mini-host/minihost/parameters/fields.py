"""The fields of a form as data: what each shows, offers and expects, what is wrong with it, and whether it is visible.

All of it comes from the code that resolves a run's configuration, so that a form cannot show what a run does not get.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from minihost.parameters import mistakes
from minihost.parameters.controls import Offer, Option, as_key, control_of, declared_options, is_day, is_menu
from minihost.parameters.entries import UNKNOWN, entry, shown_value
from minihost.parameters.forms import Form, as_shown, default_of, expected, form_of, named
from minihost.parameters.plain import plain
from minihost.parameters.resolving import Given, filled, resolve
from minihost.parameters.schema import ParameterSets, inner_params, is_mandatory, shown
from minihost.parameters.visibility import condition


@dataclass(frozen=True)
class Choice:
    """One entry of a menu: `key` is what it posts; `is_known` is false for a value that is not offered."""

    key: str
    label: str
    group: str = ""
    is_chosen: bool = False
    is_known: bool = True


@dataclass(frozen=True)
class Field:
    """One field. `key` is its place among the parameters, or `+NAME` for a value that nothing declares.

    `entry` is what its control holds (see `minihost.parameters.entries`). `groups` are the fields inside: one group for
    a preset, one for each of several rows; `blank` is a row to add. `choices` is None where anything may be typed;
    `is_typed` says that other values than the choices may be. `watches` are the parameters whose change asks for the
    choices again, None for all parameters and roles. `is_plain` says that only texts fit, so that keys are the texts.
    """

    key: str
    name: str
    control: str
    label: str
    description: str = ""
    entry: Any = None
    hint: str = ""
    choices: tuple[Choice, ...] | None = None
    is_typed: bool = False
    is_plain: bool = False
    is_dynamic: bool = False
    is_column: bool = False
    watches: tuple[str, ...] | None = ()
    is_visible: bool = True
    is_mandatory: bool = False
    is_set: bool = False
    mistakes: tuple[str, ...] = ()
    groups: tuple[tuple[Field, ...], ...] = ()
    blank: tuple[Field, ...] = ()

    @property
    def grouped(self) -> list[tuple[str, list[Choice]]]:
        """The choices in their groups, in the order of first mention."""
        found: dict[str, list[Choice]] = {}
        for choice in self.choices or ():
            found.setdefault(choice.group, []).append(choice)
        return list(found.items())


COLUMNS = ("COLUMN", "COLUMNS", "DATASET_COLUMN", "DATASET_COLUMNS")
"""The types that choose columns of a dataset: menus also while the columns are not known."""

Placed = Sequence[tuple[mistakes.Place, str]]
"""Mistakes with their places, from the level of a form inwards."""


def fields(
    params: Iterable[dict[str, Any]], values: Mapping[str, Any], sets: ParameterSets, offer: Offer = lambda _param: None
) -> list[Field]:
    """The fields of a form for values that were given; separators are fields, too.

    Values that nothing declares come last, as texts.
    """
    params = [param for param in params if isinstance(param, dict)]
    given = plain(dict(values))
    resolved = resolve(params, Given(given, is_open=True), sets)
    placed = [(resolved.places.get(sentence, ()), sentence) for sentence in resolved.mistakes]
    return _Drawing(sets, offer).level(params, given, resolved.config, placed)


@dataclass(frozen=True)
class _Drawing:
    """What is the same at every level of a form."""

    sets: ParameterSets
    offer: Offer

    def level(
        self, params: list[dict[str, Any]], given: Mapping[str, Any], config: Mapping[str, Any], placed: Placed
    ) -> list[Field]:
        """The fields of one level: of the form itself, of a preset, of a row."""
        form = shown(params, config)
        found = []
        for number, param in enumerate(params):
            if not named([param]):
                found.append(_separator(str(number), param, config))
                continue
            is_chosen = form.params[param["name"]] is param
            here = [(place[1:], text) for place, text in placed if is_chosen and place[:1] == (param["name"],)]
            drawn = self._one(str(number), param, given, config, here)
            found.append(replace(drawn, is_visible=is_chosen and (param["name"] in form.visible or bool(here))))
        for name, value in given.items():
            if name not in form.params:
                found.append(_undeclared(name, value))
        return found

    def _one(
        self, key: str, param: dict[str, Any], given: Mapping[str, Any], config: Mapping[str, Any], placed: Placed
    ) -> Field:
        value = shown_value(param, given)
        control = control_of(param, value, self.sets)
        name = param["name"]
        drawn = Field(
            key=key,
            name=name,
            control=control,
            label=str(param.get("label") or name),
            description=str(param.get("description") or ""),
            entry=None if control in ("preset", "rows") else entry(param, value, control, self.sets),
            hint=_hint(param, control, name in given),
            is_mandatory=is_mandatory(param),
            is_set=name in given and given[name] not in (None, ""),
            mistakes=tuple(text for place, text in placed if not place or control not in ("preset", "rows")),
        )
        if control in ("preset", "rows"):
            return self._nested(drawn, param, value, config.get(name), placed)
        if control in ("text", "list", "select", "multiselect"):
            return self._with_choices(drawn, param, value)
        return replace(drawn, control="day" if control == "date" and (not value or is_day(value)) else control)

    def _nested(self, drawn: Field, param: dict[str, Any], value: Any, config: Any, placed: Placed) -> Field:
        inner = inner_params(param, self.sets)
        if drawn.control == "preset":
            inside = config if isinstance(config, dict) else filled(inner, value or {}, self.sets)
            return replace(drawn, groups=(tuple(self.level(inner, value or {}, inside, placed)),))
        rows = config if isinstance(config, list) else []
        groups = []
        for number, row in enumerate(value or ()):
            here = [(place[1:], text) for place, text in placed if place[:1] == (number,)]
            groups.append(tuple(self.level(inner, row, rows[number] if number < len(rows) else row, here)))
        blank = tuple(self.level(inner, {}, filled(inner, {}, self.sets), ()))
        return replace(drawn, groups=tuple(groups), blank=blank)

    def _with_choices(self, drawn: Field, param: dict[str, Any], value: Any) -> Field:
        declared = declared_options(param) if is_menu(param) else None
        is_dynamic = bool(param.get("getChoicesFromPython")) and is_menu(param)
        options = self.offer(param) if declared is None else declared
        is_column = param.get("type") in COLUMNS
        if options is None and not is_menu(param) and not is_column:
            return drawn
        held = value if isinstance(value, list) else [value]
        held = [item for item in held if item is not None and (item != "" or is_menu(param))]
        return replace(
            drawn,
            control={"text": "select", "list": "multiselect"}.get(drawn.control, drawn.control),
            choices=tuple(_choices(param, options, held)),
            is_column=is_column,
            is_typed=declared is None,
            is_plain=not is_menu(param),
            is_dynamic=is_dynamic,
            watches=_watched(param) if is_dynamic else (),
        )


def _watched(param: dict[str, Any]) -> tuple[str, ...] | None:
    """The parameters whose change asks for the choices again; None for all."""
    names = param.get("triggerParameters")
    if isinstance(names, list) and names:
        return tuple(map(str, names))
    return () if param.get("disableAutoReload") else None


def _choices(param: dict[str, Any], options: Sequence[Option] | None, held: list[Any]) -> list[Choice]:
    """The options once each, those that are held marked, and what is held but not offered last."""
    chosen = [as_key(value, param) for value in held]
    found: dict[str, Choice] = {}
    for option in options or ():
        key = as_key(option.value, param)
        found.setdefault(key, Choice(key, option.label, option.group, key in chosen))
    for value, key in zip(held, chosen, strict=True):
        found.setdefault(key, Choice(key, as_shown(value) or "(empty)", "", True, is_known=options is None))
    return list(found.values())


def _separator(key: str, param: dict[str, Any], config: Mapping[str, Any]) -> Field:
    visible = condition(param.get("visibilityCondition")).holds(config)
    text = str(param.get("description") or "")
    return Field(key, "", "separator", str(param.get("label") or ""), text, is_visible=visible)


def _undeclared(name: str, value: Any) -> Field:
    param = {"name": name, "type": "ANY"}
    return Field(UNKNOWN + name, name, "json", name, entry=entry(param, value, "json", {}), is_set=True)


def _hint(param: dict[str, Any], control: str, is_set: bool) -> str:
    """What a value must be, where the control does not show it; and the default, where another value is set."""
    parts = []
    if control == "number" or (control == "json" and form_of(param) is not Form.ANY):
        text = expected(param)
        parts.append(text[0].upper() + text[1:])
    default = default_of(param)
    if is_set and default not in (None, "", [], {}, False) and control in ("number", "text", "select"):
        parts.append(f"default {as_shown(default)}")
    return ", ".join(parts)
