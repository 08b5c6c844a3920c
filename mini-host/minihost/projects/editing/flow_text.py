"""The text of a flow.yaml made to say something else: only what differs is written anew, all else stays as it is."""

from __future__ import annotations

from typing import Any

from minihost.projects.editing.facts import Facts, Kept, is_renamed, places_of, same, unchanged
from minihost.projects.editing.flow_style import style_of
from minihost.projects.editing.yaml_layout import Layout, Node
from minihost.projects.editing.yaml_values import WIDTH, entry_lines, has_block, inline, item_lines

SECTIONS = ("project", "plugins", "folders", "datasets", "connections", "variables", "settings", "steps")
KEYS = ("name", "recipe", "macro", "inputs", "outputs", "creates", "params", "partition")
"""The order in which new keys are put into the file, and into a step."""


def updated(text: str, old: Facts, new: Facts) -> str:
    """Return the text that says `new` in place of `old`. Steps of `new` that are the same objects as those of `old`
    are those steps, changed or not (see `Kept`)."""
    layout = Layout(text)
    if layout.root is None or layout.root.kind != "map":
        return _from_nothing(text, new)
    return _Update(layout).text_of(old, new)


def _from_nothing(text: str, new: Facts) -> str:
    """The text of a file that says nothing yet, perhaps with comments, with all that is new below them."""
    style = style_of(Layout(""))
    lines: list[str] = []
    for name in sorted(new, key=_rank(SECTIONS)):
        lines += [""] if lines and name != "datasets" else []
        lines += _section_lines(name, new[name], style)
    above = text if not text or text.endswith("\n") else text + "\n"
    return above + "".join(line + "\n" for line in lines)


def _section_lines(name: str, value: Any, style: Any) -> list[str]:
    if name != "steps" or not value:
        return list(entry_lines(name, value, 0, style, is_block=isinstance(value, dict)))
    lines = [f"{name}:"]
    for number, step in enumerate(value):
        lines += [""] if number and style.is_spaced else []
        lines += item_lines(_in_order(step), style.dash, style.dash + 2, style)
    return lines


def _rank(order: tuple[str, ...]) -> Any:
    return lambda name: order.index(name) if name in order else len(order)


def _in_order(step: Facts) -> Facts:
    return {key: step[key] for key in sorted(step, key=_rank(KEYS))}


class _Update:
    """Collects the changes of one text: (first character, last, what comes there)."""

    def __init__(self, layout: Layout) -> None:
        self.layout, self.style = layout, style_of(layout)
        self.edits: list[tuple[int, int, str]] = []

    def text_of(self, old: Facts, new: Facts) -> str:
        root = self.layout.root
        assert root is not None
        self._map(root, old, new, SECTIONS)
        parts, at = [], 0
        for start, stop, inserted in sorted(self.edits, key=lambda edit: edit[:2]):
            if start < at:
                raise ValueError("two changes of the text overlap")
            parts += [self.layout.text[at:start], inserted]
            at = stop
        return "".join(parts) + self.layout.text[at:]

    def _map(self, node: Node, old: Facts, new: Facts, order: tuple[str, ...] = ()) -> None:
        """Bring a mapping from `old` to `new`: keys that are gone, renamed, changed, and new ones."""
        own = {self._name(key, old): place for place, (key, _value) in enumerate(node.items)}
        gone = [name for name in own if name not in new]
        added = [name for name in new if name not in old]
        if len(gone) == len(added) == 1 and is_renamed(old, new, gone[0], added[0]):
            key = node.items[own[gone[0]]][0]
            self._put(key.start, key.end, inline(added[0], key.style))
            gone, added = [], []
        added += [name for name in new if name in old and name not in own and not same(old[name], new[name])]
        for name, place in own.items():
            if name in new and name in old and not unchanged(old[name], new[name]):
                self._value(node, place, old[name], new[name])
        if len(gone) == len(own):
            self._whole(node, new)
            return
        self._cut(node, [own[name] for name in gone])
        kept = [place for name, place in own.items() if name not in gone]
        for name in added:
            self._add(node, kept, name, new[name], order)

    def _name(self, key: Node, old: Facts) -> Any:
        """The key as the reader gave it: a text, or what a plain scalar such as 1 or true means."""
        if key.style or key.value in old:
            return key.value
        return next((name for name in old if not isinstance(name, str) and inline(name) == key.value), key.value)

    def _value(self, node: Node, place: int, old: Any, new: Any) -> None:
        """Bring the value of a key from one to another."""
        key, value = node.items[place]
        is_map = value.kind == "map" and value.items and isinstance(new, dict) and new
        if is_map and not self._is_too_long(value, old, new):
            self._map(value, old, new)
            return
        if value.kind == "seq" and value.items and new == [] and not value.is_flow:
            self._cut_lines(value, 0, len(value.items) - 1)
            colon = self.layout.text.index(":", key.end) + 1
            self._put(colon, colon, " []")
            return
        if value.kind == "seq" and value.items and isinstance(new, list) and self._list(value, old, new):
            return
        self._replace(node, key, value, new)

    def _is_too_long(self, value: Node, old: Facts, new: Facts) -> bool:
        """Whether a mapping in one line would no longer fit there, and nothing is lost in writing it anew."""
        text = self.layout.text[value.start : value.end]
        start = self.layout.line_start(value.start)
        grows = len(inline(new)) - len(inline(old))
        room = max(WIDTH - len(self.layout.line(start)), 0)
        is_alone = not {"{", "["} & set(self.layout.text[start : value.start])
        is_plain = not any(sign in text for sign in "\n#&*")
        return value.is_flow and is_plain and is_alone and (grows > room or has_block(new))

    def _replace(self, node: Node, key: Node, value: Node, new: Any) -> None:
        """Write a value anew, in its line or in lines of its own below the key."""
        text, column = self.layout.text, self.layout.column(key.start)
        colon = text.index(":", key.end) + 1
        is_section = node is self.layout.root and isinstance(new, dict | list)
        made = _section_lines("k" if key.value != "steps" else key.value, new, self.style) if is_section else None
        lines = made or list(entry_lines("k", new, column, self.style))
        if node.is_flow or (len(lines) == 1 and (value.kind in ("scalar", "alias") or value.is_flow)):
            written = inline(new, value.style) if isinstance(new, str) and value.style in ("'", '"') else inline(new)
            start = max(value.start, colon)
            self._put(start, max(value.end, start), written if start > colon else f" {written}")
            return
        head = lines[0].lstrip().partition(":")[2]
        below = "".join(self.style.eol + line for line in lines[1:])
        on_key_line = self.layout.line_start(value.start) == self.layout.line_start(key.start)
        if on_key_line:
            self._put(colon, max(value.end, colon), head + below)
            return
        self._put(colon, colon, head)
        start = self.layout.line_start(value.start)
        self._put(start, value.end, "" if not below else below[len(self.style.eol) :])
        if not below:
            self._put(value.end, self.layout.next_line(value.end), "")

    def _whole(self, node: Node, new: Facts) -> None:
        """Write a mapping anew of which no key is left."""
        if node.is_flow or not new:
            self._put(node.start, node.end, inline(new))
            return
        column = self.layout.column(node.start)
        lines = [line for name, value in new.items() for line in entry_lines(name, value, column, self.style)]
        self._put(node.start, node.end, self.style.eol.join(lines)[column:])

    def _list(self, node: Node, old: list[Any], new: list[Any]) -> bool:
        """Bring a list from one to another by items that go, come and change; whether that could be done."""
        places = places_of(old, new)
        if places is None:
            return False
        kept = [place for place in places if place is not None]
        for item, place in zip(new, places, strict=True):
            if place is not None and not unchanged(old[place], item):
                value = node.items[place]
                if value.kind != "map" or not isinstance(item, dict):
                    if value.kind != "scalar" or isinstance(item, dict | list):
                        return False
                    self._put(value.start, value.end, inline(item, value.style))
                    continue
                self._map(value, old[place], item, KEYS if isinstance(item, Kept) else ())
        if not kept:
            return False
        self._cut(node, [place for place in range(len(old)) if place not in kept])
        before: int | None = None
        for item, place in zip(new, places, strict=True):
            if place is None:
                self._add_item(node, before, item, kept)
            else:
                before = place
        return True

    def _add(self, node: Node, kept: list[int], name: str, value: Any, order: tuple[str, ...]) -> None:
        """Put a new key into a mapping: after those that come before it in the order, else at the end."""
        rank = _rank(order)
        before = [place for place in kept if not order or rank(node.items[place][0].value) <= rank(name)]
        first = node.items[0][0]
        column = self.layout.column(first.start)
        if node.is_flow:
            self._put_in_flow(node, before[-1] if before else None, f"{inline(name)}: {inline(value)}", kept)
            return
        is_section = order is SECTIONS
        lines = (
            _section_lines(name, value, self.style)
            if is_section
            else list(entry_lines(name, value, column, self.style))
        )
        if not before:
            indent = self.style.eol + " " * column
            inserted = indent.join(line[column:] for line in lines) + (self.style.eol if is_section else "") + indent
            self._put(first.start, first.start, inserted)
            return
        spaced = is_section and not (name == "datasets" and node.items[before[-1]][0].value == "folders")
        self._put_lines(self._tail(node, before[-1]), ([""] if spaced else []) + lines)

    def _add_item(self, node: Node, before: int | None, item: Any, kept: list[int]) -> None:
        """Put a new item into a list after another, or before all."""
        if node.is_flow:
            self._put_in_flow(node, before, inline(dict(item) if isinstance(item, dict) else item), kept)
            return
        dash = self.layout.column(node.start)
        model = node.items[-1]
        column = self.layout.column(model.start) if model.kind == "map" and not model.is_flow else dash + 2
        lines = list(item_lines(_in_order(item) if isinstance(item, dict) else item, dash, column, self.style))
        spaced = isinstance(item, dict) and self.style.is_spaced
        if before is None:
            start = self.layout.lead(node.start, dash)
            self._put(start, start, "".join(line + self.style.eol for line in [*lines, *([""] if spaced else [])]))
            return
        self._put_lines(self._tail(node, before), ([""] if spaced else []) + lines)

    def _put_in_flow(self, node: Node, before: int | None, written: str, kept: list[int]) -> None:
        if before is None:
            start = node.start + 1
            self._put(start, start, f"{written}, " if kept else written)
            return
        end = _ends(node.items[before])
        self._put(end, end, f", {written}")

    def _cut(self, node: Node, places: list[int]) -> None:
        """Take entries out; at least one stays."""
        layout, items = self.layout, node.items
        for first, last in _runs(places):
            following = items[last + 1] if last + 1 < len(items) else None
            begins = _begins(items[first])
            is_inside = bool(layout.text[layout.line_start(begins) : begins].strip()) and node.kind == "map"
            if node.is_flow and following is None:
                self._put(_ends(items[first - 1]), _ends(items[last]), "")
            elif node.is_flow or (is_inside and following is not None):
                self._put(begins, _begins(following), "")
            else:
                self._cut_lines(node, first, last)

    def _cut_lines(self, node: Node, first: int, last: int) -> None:
        layout, column = self.layout, self._column(node)
        is_last = last == len(node.items) - 1
        for place in range(first, last + 1):
            start, end = layout.lead(_begins(node.items[place]), column), self._tail(node, place)
            while (place < last or not is_last) and layout.is_blank(end):
                end = layout.next_line(end)
            if place == first > 0 and is_last:
                while start > 0 and layout.is_blank(above := layout.line_start(start - 1)):
                    start = above
            self._put(start, end, "")

    def _column(self, node: Node) -> int:
        return self.layout.column(node.start if node.kind == "seq" else node.items[0][0].start)

    def _tail(self, node: Node, place: int) -> int:
        item = node.items[place]
        end = max(_ends(item), _begins(item))
        return self.layout.tail(end, self._column(node))

    def _put_lines(self, start: int, lines: list[str]) -> None:
        """Put lines where a line starts; the last line of a file without an end gets one first."""
        eol, text = self.style.eol, self.layout.text
        if start == len(text) and text and self.layout.line_start(start) != start:
            self._put(start, start, "".join(eol + line for line in lines))
        else:
            self._put(start, start, "".join(line + eol for line in lines))

    def _put(self, start: int, end: int, text: str) -> None:
        self.edits.append((start, end, text))


def _begins(item: Any) -> int:
    return int((item[0] if isinstance(item, tuple) else item).start)


def _ends(item: Any) -> int:
    return max(int(item[0].end), int(item[1].end)) if isinstance(item, tuple) else int(item.end)


def _runs(places: list[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for place in sorted(places):
        if runs and runs[-1][1] == place - 1:
            runs[-1] = (runs[-1][0], place)
        else:
            runs.append((place, place))
    return runs
