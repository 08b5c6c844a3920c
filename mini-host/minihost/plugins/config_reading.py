"""Reads a component's code for the keys of its configuration: the code is never run.

It follows `config["x"]`, `config.get("x", default)`, names that the configuration goes by, parts of it such as
`params = config["params"]`, and the plugin's own functions, classes and modules that it is given to.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minihost.plugins import Component, Plugin
from minihost.plugins.config_keys import ABSENT, UNKNOWN, ConfigKey, ConfigKeys
from minihost.plugins.python_modules import Definition, Function, Library, Module, literal, read_module

SOURCES = {"get_recipe_config", "get_webapp_config"}
COPIES = {"dict", "copy", "deepcopy", "OrderedDict"}
CASTS: dict[str, Any] = {"int": 1, "float": 1.0, "bool": False, "str": UNKNOWN}
"""Function -> a sample of what it takes."""
MAX_CALLS = 2000


@dataclass(frozen=True)
class _Instance:
    """An object of a class of the plugin."""

    definition: Definition

    def __repr__(self) -> str:
        return f"object {id(self.definition.node)}"


Value = Any
"""What an expression stands for: a path in the configuration (a tuple), an `_Instance`, a list of texts, or None."""


def read_code(component: Component, plugin: Plugin) -> ConfigKeys:
    """Answer the keys that the code of a component reads."""
    runner = read_module(component.runner, "")
    reader = _Reader(Library(component.folder, plugin.python_lib), plugin.root)
    if runner is not None:
        reader.visit(runner, runner.tree.body, {})
        for node in runner.tree.body:
            if component.kind == "macro" and isinstance(node, ast.ClassDef):
                reader.instance(Definition(runner, node), [None, ()], {"config": ()})
    return reader.found


class _Reader:
    """Goes through functions and classes with what their parameters stand for, each combination once."""

    def __init__(self, library: Library, root: Path) -> None:
        self.library = library
        self.root = root
        self.found = ConfigKeys()
        self.attributes: dict[tuple[int, str], Value] = {}
        self.answers: dict[Any, Value] = {}

    def visit(self, module: Module, body: list[ast.stmt], names: dict[str, Value]) -> Value:
        """Go through a body with what its names stand for; answer what it returns."""
        scope = _Scope(self, module, names)
        for _ in range(2):  # a second time for names that loops and later lines give
            for statement in body:
                scope.visit(statement)
        return scope.returned

    def call(self, called: Definition, arguments: list[Value], named: dict[str, Value], owner: Value = None) -> Value:
        """Go through a function that is called with these, and answer what it returns."""
        node = called.node
        assert isinstance(node, Function)
        parameters = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
        values = [owner, *arguments] if owner is not None else arguments
        given = dict(zip(parameters, values, strict=False)) | named
        names = {name: value for name, value in given.items() if value is not None}
        key = (id(node), tuple(sorted((name, repr(value)) for name, value in names.items())))
        if key not in self.answers and len(self.answers) < MAX_CALLS:
            self.answers[key] = None  # for calls of itself
            self.answers[key] = self.visit(called.module, node.body, names)
        return self.answers.get(key)

    def instance(self, definition: Definition, arguments: list[Value], named: dict[str, Value]) -> _Instance:
        """Make an object of a class: go through its `__init__`, then every method, which may read what it was given."""
        made = _Instance(definition)
        if start := self.method(made, "__init__"):
            self.call(start, arguments, named, made)
        if any(owner == id(definition.node) for owner, _name in self.attributes):
            for owner in self.classes(definition):
                for node in getattr(owner.node, "body", ()):
                    if isinstance(node, Function) and node.name != "__init__":
                        self.call(Definition(owner.module, node), [], {}, made)
        return made

    def classes(self, definition: Definition, depth: int = 0) -> list[Definition]:
        """A class and those that it is made from, as far as they are the plugin's."""
        found = [definition]
        for base in getattr(definition.node, "bases", ()) if depth < 5 else ():
            parent = self.library.definition(definition.module, ast.unparse(base))
            if parent and isinstance(parent.node, ast.ClassDef) and parent.node is not definition.node:
                found += self.classes(parent, depth + 1)
        return found

    def method(self, instance: _Instance, name: str) -> Definition | None:
        """The method of that name, of the class or one that it is made from."""
        for owner in self.classes(instance.definition):
            for node in owner.node.body:
                if isinstance(node, Function) and node.name == name:
                    return Definition(owner.module, node)
        return None

    def key(self, module: Module, node: ast.expr, path: tuple[str, ...]) -> ConfigKey:
        """Remember that a key is read there, and answer what is known of it."""
        return self.found.keys.setdefault(".".join(path), ConfigKey(".".join(path), self.place(module, node)))

    def place(self, module: Module, node: ast.expr) -> str:
        """`file:line`, the file relative to the plugin."""
        return f"{module.path.relative_to(self.root).as_posix()}:{node.lineno}"


class _Scope(ast.NodeVisitor):
    """One body of statements: which names stand for the configuration, and what is read of it."""

    def __init__(self, reader: _Reader, module: Module, names: dict[str, Value]) -> None:
        self.reader = reader
        self.module = module
        self.names = names
        self.returned: Value = None

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """A function inside another sees its names; one at the top is gone through when it is called."""
        if node not in self.module.tree.body:
            inner = _Scope(self.reader, self.module, dict(self.names))
            for statement in node.body:
                inner.visit(statement)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Classes are gone through when an object is made."""

    def visit_Return(self, node: ast.Return) -> None:
        """Keep what is returned first."""
        self.generic_visit(node)
        if node.value is not None and self.returned is None:
            self.returned = self.value(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        """Follow a name or attribute that is given the configuration, or a part of it."""
        self.generic_visit(node)
        for target in node.targets:
            self.assign(target, self.value(node.value))

    def assign(self, target: ast.expr, value: Value) -> None:
        """Remember what a name, or an attribute of an object, stands for."""
        if isinstance(target, ast.Name) and value is not None:
            self.names[target.id] = value
        elif isinstance(target, ast.Attribute) and value is not None:
            owner = self.value(target.value)
            if isinstance(owner, _Instance):
                self.reader.attributes[id(owner.definition.node), target.attr] = value

    def visit_For(self, node: ast.For) -> None:
        """A loop over texts that are written down gives the name each of them."""
        self.assign(node.target, self.value(node.iter) if isinstance(self.value(node.iter), list) else None)
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        """`config[key]`, where it is read."""
        self.generic_visit(node)
        owner = self.value(node.value)
        if isinstance(owner, tuple) and isinstance(node.ctx, ast.Load):
            for key in self.read(node, owner, node.slice):
                key.is_indexed = True

    def visit_Compare(self, node: ast.Compare) -> None:
        """`key in config`, and `config[key] == value`, which shows what a value looks like."""
        self.generic_visit(node)
        right = node.comparators[0]
        owner = self.value(right)
        if isinstance(owner, tuple) and isinstance(node.ops[0], ast.In | ast.NotIn):
            for key in self.read(node, owner, node.left):
                key.is_guarded = True
        if isinstance(node.ops[0], ast.Eq | ast.NotEq) and isinstance(right, ast.Constant):
            self.sample(node.left, right.value)

    def visit_If(self, node: ast.If | ast.IfExp) -> None:
        """`if config[key]`: a flag, unless something else is known of it."""
        self.generic_visit(node)
        negated = isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not)
        self.sample(node.test.operand if negated else node.test, False)  # type: ignore[attr-defined]

    visit_IfExp = visit_If  # type: ignore[assignment]

    def sample(self, node: ast.expr, value: Any) -> None:
        """Remember a value of a fitting type for the key that an expression reads."""
        path = self.value(node)
        key = self.reader.found.keys.get(".".join(path)) if isinstance(path, tuple) else None
        if key and (key.sample == UNKNOWN or key.sample is False) and isinstance(value, str | int | float):
            key.sample = value

    def visit_Call(self, node: ast.Call) -> None:
        """`config.get(key, default)`, and calls that the configuration is given to."""
        self.generic_visit(node)
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in ("get", "pop") and node.args:
            owner = self.value(function.value)
            given = [*node.args[1:2], *(keyword.value for keyword in node.keywords if keyword.arg == "default")]
            for key in self.read(node, owner, node.args[0]) if isinstance(owner, tuple) else ():
                key.is_indexed = key.is_indexed or (function.attr == "pop" and not given)
                key.is_guarded = key.is_guarded or not given
                if given and key.default in (ABSENT, None):
                    key.default = literal(given[0])
        if isinstance(function, ast.Name) and function.id in CASTS and node.args:
            self.sample(node.args[0], CASTS[function.id])
        self.follow(node)

    def read(self, node: ast.expr, owner: tuple[str, ...], key: ast.expr) -> list[ConfigKey]:
        """The keys that are read there; a place where the key is computed is remembered as such."""
        texts, place = self.texts(key), self.reader.place(self.module, node)
        if not texts and not isinstance(key, ast.Constant | ast.Slice) and place not in self.reader.found.computed:
            self.reader.found.computed.append(place)
        return [self.reader.key(self.module, node, (*owner, text)) for text in texts]

    def texts(self, key: ast.expr) -> list[str]:
        """The texts that a key stands for: one that is written down, a constant, or those of a loop."""
        if isinstance(key, ast.Constant):
            return [key.value] if isinstance(key.value, str) else []
        if isinstance(value := self.value(key), list):
            return value
        if not isinstance(key, ast.Name | ast.Attribute):
            return []
        text = self.reader.library.text(self.module, ast.unparse(key))
        return [] if text is None else [text]

    def follow(self, node: ast.Call) -> Value:
        """Go through what a call calls, when it is the plugin's own, and answer what it returns."""
        arguments = [self.value(argument) for argument in node.args]
        named = {keyword.arg: self.value(keyword.value) for keyword in node.keywords if keyword.arg}
        function = node.func
        if isinstance(function, ast.Attribute) and isinstance(owner := self.value(function.value), _Instance):
            method = self.reader.method(owner, function.attr)
            return self.reader.call(method, arguments, named, owner) if method else None
        if not isinstance(function, ast.Name | ast.Attribute):
            return None
        found = self.reader.library.definition(self.module, ast.unparse(function))
        if found is None:
            return None
        if isinstance(found.node, ast.ClassDef):
            return self.reader.instance(found, arguments, named)
        self.unpacked(node, found.node)
        return self.reader.call(found, arguments, named)

    def unpacked(self, node: ast.Call, function: Function) -> None:
        """`f(**config)`: the function's parameters are the keys."""
        first = len(function.args.args) - len(function.args.defaults)
        for keyword in node.keywords:
            owner = self.value(keyword.value) if keyword.arg is None else None
            if not isinstance(owner, tuple):
                continue
            for place, argument in enumerate(function.args.args):
                key = self.reader.key(self.module, node, (*owner, argument.arg))
                key.is_indexed = key.is_indexed or place < first
                key.default = key.default if place < first else literal(function.args.defaults[place - first])

    def value(self, node: ast.expr) -> Value:
        """What an expression stands for, as far as it matters."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id)
        if isinstance(node, ast.Attribute):
            owner = self.value(node.value)
            found = (id(owner.definition.node), node.attr) if isinstance(owner, _Instance) else None
            return self.reader.attributes.get(found) if found else None
        if isinstance(node, ast.Subscript):
            return self.part(node.value, node.slice)
        if isinstance(node, ast.BoolOp):
            return next((value for part in node.values if (value := self.value(part)) is not None), None)
        if isinstance(node, ast.IfExp):
            return self.value(node.body) or self.value(node.orelse)
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            texts = [text for item in node.elts for text in self.texts(item)]
            return texts if texts and len(texts) == len(node.elts) else None
        if isinstance(node, ast.Dict):
            inside = zip(node.keys, node.values, strict=True)
            return next((self.value(value) for key, value in inside if key is None), None)
        return self.value_of_call(node) if isinstance(node, ast.Call) else None

    def part(self, node: ast.expr, key: ast.expr) -> Value:
        """The path of a part of the configuration."""
        owner, texts = self.value(node), self.texts(key)
        return (*owner, *texts) if isinstance(owner, tuple) and len(texts) == 1 else None

    def value_of_call(self, node: ast.Call) -> Value:
        """What a call answers: the configuration, a copy or a part of it, or what a function of the plugin returns."""
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if self.module.imported.get(name, ("", name))[1] in SOURCES:
            return ()
        if isinstance(function, ast.Attribute) and isinstance(owner := self.value(function.value), tuple):
            return owner if name == "copy" else self.part(function.value, node.args[0]) if node.args else None
        return self.value(node.args[0]) if name in COPIES and node.args else self.follow(node)
