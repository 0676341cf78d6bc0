"""Places in the user's own code."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from itertools import islice
from types import CodeType, FrameType
from typing import Any

Site = dict[str, Any]

# Decided by package, because an editable or vendored framework may live anywhere.
_FRAMEWORK = {
    "keras",
    "tensorflow",
    "tf_keras",
    "jax",
    "flax",
    "torch",
    "optree",
    "tree",
    "wrapt",
    "absl",
    "numpy",
}
_OWN = __name__.partition(".")[0]


def _libraries() -> tuple[str, ...]:
    paths = [sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    paths += site.getsitepackages() if hasattr(site, "getsitepackages") else []
    paths.append(site.getusersitepackages())
    both = {form for path in paths if path for form in (os.path.abspath(path), os.path.realpath(path))}
    return tuple(path + os.sep for path in sorted(both))


_LIBRARIES = _libraries()
_known: dict[CodeType, bool] = {}


def is_user_code(code: CodeType, module: str | None) -> bool:
    """Whether this code is the user's own: not the framework, the tracer or an installed library."""
    known = _known.get(code)
    if known is None:
        package = (module or "").partition(".")[0]
        name = code.co_filename
        known = (
            package not in _FRAMEWORK
            and package != _OWN
            and is_user_file(name)
            # The translation of a function of the user's; its lines are not the user's.
            and "__autograph_generated_file" not in name
        )
        _known[code] = known
    return known


def is_user_file(name: str) -> bool:
    """Whether a file is the user's own, as far as its path tells."""
    return not name.startswith("<") and not os.path.abspath(name).startswith(_LIBRARIES)


def place(code: CodeType, instruction: int, line: int) -> Site:
    """The place of an instruction of this code; columns from Python 3.11."""
    found: Site = {
        "path": os.path.abspath(code.co_filename),
        "line": line,
        "column": None,
        "end_line": None,
        "end_column": None,
    }
    if hasattr(code, "co_positions") and instruction >= 0:
        start, end, column, end_column = next(
            islice(code.co_positions(), instruction // 2, None), (None,) * 4
        )
        if start is not None:
            found["line"] = start
            if column is not None and end_column is not None:
                found.update(column=column, end_line=end, end_column=end_column)
    return found


def user_frame(frame: FrameType | None) -> FrameType | None:
    """The innermost frame of the user's own code, from this frame outwards."""
    while frame is not None and not is_user_code(frame.f_code, frame.f_globals.get("__name__")):
        frame = frame.f_back
    return frame


def caller() -> Site | None:
    """The call in the user's own code that led here."""
    frame = user_frame(sys._getframe(1))
    return None if frame is None else place(frame.f_code, frame.f_lasti, frame.f_lineno)


def called_through(function: CodeType) -> bool:
    """Whether this function stands between here and the user's own code."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not is_user_code(frame.f_code, frame.f_globals.get("__name__")):
        if frame.f_code is function:
            return True
        frame = frame.f_back
    return False


_ATTRIBUTE = "_deeplocalize_site"


def remember(thing: object, found: Site | None) -> None:
    """Notes where an object was created. Past Keras' own attribute tracking, which would look at it."""
    object.__setattr__(thing, _ATTRIBUTE, found)


def recall(thing: object) -> Site | None:
    """Where the object was created; `None` when that is not known."""
    return vars(thing).get(_ATTRIBUTE) if hasattr(thing, "__dict__") else None
