"""Looks through a script for what this mechanism does not have, before anything of it runs."""

from __future__ import annotations

import ast
from typing import Any

from . import names

# Methods of a model that replace part of the training, which the engine would not know of.
METHODS = {"train_step", "compute_loss", "compute_metrics", "make_train_function"}


def obstacle(source: bytes, path: str) -> tuple[str, dict[str, Any] | None] | None:
    """What in this script is certainly not covered, and where; `None` when nothing is seen.

    What is not seen here is noticed when the script comes to it.
    """
    try:
        tree = ast.parse(source, path)
    except (SyntaxError, ValueError):
        return "the script does not parse", None
    reader = _Reader()
    reader.visit(tree)
    if reader.found is None:
        return None
    what, node = reader.found
    site = {
        "path": path,
        "line": node.lineno,
        "column": node.col_offset,
        "end_line": node.end_lineno,
        "end_column": node.end_col_offset,
    }
    return what, site


class _Reader(ast.NodeVisitor):
    def __init__(self) -> None:
        self.found: tuple[str, Any] | None = None
        # What names of the script stand for: dotted names below `tensorflow`, "" for the package itself.
        self._aliases: dict[str, str] = {}

    def _note(self, what: str, node: Any) -> None:
        if self.found is None:
            self.found = (what, node)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._module(alias.name, node)
            top, _, rest = alias.name.partition(".")
            if top == "tensorflow":
                self._aliases[alias.asname or top] = rest if alias.asname else ""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if node.level:
            return
        self._module(module, node)
        top, _, rest = module.partition(".")
        if top != "tensorflow":
            return
        for alias in node.names:
            name = f"{rest}.{alias.name}".lstrip(".")
            self._aliases[alias.asname or alias.name] = name
            self._tensorflow(name, node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        chain = _chain(node)
        if chain is not None and chain[0] in self._aliases:
            name = ".".join(part for part in (self._aliases[chain[0]], *chain[1:]) if part)
            self._tensorflow(name, node)
        else:
            self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for item in node.body:
            if isinstance(item, ast.FunctionDef) and item.name in METHODS:
                self._note(f"the model's own `{item.name}`", node)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            is_choice = isinstance(target, ast.Subscript) and _text(target.slice) == "KERAS_BACKEND"
            if is_choice and _text(node.value) != "tensorflow":
                self._note("the choice of a back end, KERAS_BACKEND,", node)
        self.generic_visit(node)

    def _module(self, name: str, node: Any) -> None:
        if names.foreign(name):
            self._note(f"the package {name.partition('.')[0]}", node)

    def _tensorflow(self, name: str, node: Any) -> None:
        if name != "*" and not names.covered(name):
            self._note(f"tensorflow.{name}", node)


def _chain(node: ast.AST) -> list[str] | None:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return [node.id, *reversed(parts)] if isinstance(node, ast.Name) else None


def _text(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
