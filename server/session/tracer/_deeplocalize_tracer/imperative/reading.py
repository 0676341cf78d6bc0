"""Looks through a script for what this mechanism does not have, before anything of it runs."""

from __future__ import annotations

import ast
import math
from typing import Any

from . import names

# Methods of a model that replace part of the training, which the engine would not know of.
METHODS = {"train_step", "compute_loss", "compute_metrics", "make_train_function"}

# Methods that train a model.
_TRAINING = {"fit", "train_on_batch"}


def obstacle(source: bytes, path: str) -> tuple[str, dict[str, Any] | None] | None:
    """What in this script is certainly not covered, and where; `None` when nothing is seen.

    What is not seen here is noticed when the script comes to it.
    """
    try:
        tree = ast.parse(source, path)
    except (SyntaxError, ValueError):
        return None
    reader = _Reader()
    reader.visit(tree)
    # What the script itself does after its last training no longer matters.
    found = [
        (what, node) for what, node, late in reader.found if not late or node.lineno <= reader.last_training
    ]
    if not found:
        return None
    what, node = found[0]
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
        # What is not covered, where, and whether it is run where it stands and only there.
        self.found: list[tuple[str, Any, bool]] = []
        # Line of the last call that trains; without one, training may be anywhere.
        self.last_training: float = math.inf
        self._depth = 0
        self._loops: list[Any] = []
        # What names of the script stand for: dotted names below `tensorflow`, "" for the package itself.
        self._aliases: dict[str, str] = {}

    def _note(self, what: str, node: Any, late: bool = False) -> None:
        self.found.append((what, node, late))

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Attribute) and node.func.attr in _TRAINING:
            known = 0 if self.last_training == math.inf else self.last_training
            # A loop around it may come back to what stands below.
            self.last_training = max(known, *(outer.end_lineno or 0 for outer in [node, *self._loops]))
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._nested(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._nested(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._nested(node)

    def _nested(self, node: ast.AST) -> None:
        self._depth += 1
        self.generic_visit(node)
        self._depth -= 1

    def visit_For(self, node: ast.For) -> None:
        self._loop(node)

    def visit_While(self, node: ast.While) -> None:
        self._loop(node)

    def _loop(self, node: ast.AST) -> None:
        self._loops.append(node)
        self.generic_visit(node)
        self._loops.pop()

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
        self._nested(node)

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
            late = self._depth == 0 and not isinstance(node, ast.ImportFrom)
            self._note(f"tensorflow.{name}", node, late)


def _chain(node: ast.AST) -> list[str] | None:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return [node.id, *reversed(parts)] if isinstance(node, ast.Name) else None


def _text(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
