"""Lets Python's functions for files work on what `apart` keeps, so that the user's files stay as they are.

Used only where the system has no overlay. Programs that the script starts, and native code not named in
`redirect_native`, are not reached.
"""

from __future__ import annotations

import builtins
import errno
import functools
import io
import os
import shutil
import stat
import sys
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Callable

from .apart import Apart

# Set for as long as one of the functions here runs, which use those of `os` themselves.
_here = threading.local()
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# The one there is, once installed.
_installed: list[Apart] = []

Function = Callable[..., Any]


def install(folder: str) -> None:
    """From now on, what is written goes into this folder."""
    _installed.append(Apart(folder))
    # Through file descriptors of folders, which show nothing of what is kept.
    shutil._use_fd_functions = False  # type: ignore[attr-defined]
    replaced: dict[Function, Function] = {open: _redirected(open, _open)}
    for name, ours in _OF_OS.items():
        original = getattr(os, name, None)
        if original is not None:
            replaced[original] = _redirected(original, ours)
            setattr(os, name, replaced[original])
    builtins.open = io.open = replaced[open]  # type: ignore[assignment]
    for name in ("pathlib", "pathlib._local", "pathlib._abc", "pathlib._os", "glob", "tempfile", "shutil"):
        _replace(sys.modules.get(name), replaced)


def _replace(module: ModuleType | None, replaced: dict[Function, Function]) -> None:
    """Some modules keep functions of `os` in classes of their own."""
    holders = [value for value in vars(module).values() if isinstance(value, type)] if module else []
    for holder in [module, *holders] if module else []:
        for name, value in list(vars(holder).items()):
            function = value.__func__ if isinstance(value, staticmethod) else value
            try:
                ours = replaced.get(function)
            except TypeError:  # It has no hash, so it is no function.
                continue
            if ours is not None:
                setattr(holder, name, staticmethod(ours) if isinstance(holder, type) else ours)


def _redirected(original: Function, ours: Callable[..., Any]) -> Function:
    @functools.wraps(original)
    def function(*args: Any, **kwargs: Any) -> Any:
        directory = any(kwargs.get(name) is not None for name in ("dir_fd", "src_dir_fd", "dst_dir_fd"))
        if getattr(_here, "busy", False) or directory:
            return original(*args, **kwargs)
        _here.busy = True
        try:
            return ours(_installed[0], original, *args, **kwargs)
        except OSError as error:
            _show_given(error, args)
            raise
        finally:
            _here.busy = False

    return function


def _show_given(error: OSError, args: tuple[Any, ...]) -> None:
    """The error names the files as the script does."""
    given = [argument for argument in args[:2] if isinstance(argument, (str, bytes, os.PathLike))]
    if error.filename is not None and given:
        error.filename = os.fspath(given[0])
        if error.filename2 is not None and len(given) > 1:
            error.filename2 = os.fspath(given[1])


def _text(path: Any) -> str | None:
    """The path as text; `None` for descriptors, and for what is no path, which fails in the original."""
    if isinstance(path, (str, bytes, os.PathLike)):
        text = os.fsdecode(path)
        return text if text and "\0" not in text else None
    return None


def _place(kept: Apart, path: Any, follow: bool = True) -> str | None:
    text = _text(path)
    return None if text is None else kept.locate(text, follow)


def to_read(path: Any) -> Any:
    """The path at which native code finds what the script sees at this path."""
    return _for_native(path, lambda kept, place: kept.visible(place))


def to_write(path: Any, keep: bool = True) -> Any:
    """The path at which native code may write what is meant for this path."""
    return _for_native(path, lambda kept, place: kept.to_write(place, keep))


def _for_native(path: Any, choose: Callable[[Apart, str], str]) -> Any:
    _here.busy = True
    try:
        for kept in _installed:
            place = _place(kept, path)
            if place is not None:
                return os.fsencode(choose(kept, place)) if isinstance(path, bytes) else choose(kept, place)
        return path
    finally:
        _here.busy = False


def _open(kept: Apart, original: Function, file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
    place = _place(kept, file)
    if kwargs.get("opener") is not None:
        _here.busy = False  # The opener is not ours.
        return original(file, mode, *args, **kwargs)
    if place is None or not isinstance(mode, str):
        return original(file, mode, *args, **kwargs)
    if not set(mode) & set("wax+"):
        return original(kept.visible(place), mode, *args, **kwargs)
    if "x" in mode and kept.exists(place):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), place)
    return original(kept.to_write(place, keep="w" not in mode), mode, *args, **kwargs)


def _open_descriptor(
    kept: Apart, original: Function, path: Any, flags: int, *args: Any, **kwargs: Any
) -> Any:
    place = _place(kept, path)
    temporary = getattr(os, "O_TMPFILE", 0)
    if place is None or (temporary and flags & temporary == temporary):
        return original(path, flags, *args, **kwargs)
    if not flags & _WRITES:
        return original(kept.visible(place), flags, *args, **kwargs)
    exists = kept.exists(place)
    if exists and flags & os.O_EXCL and flags & os.O_CREAT:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), place)
    if not exists and not flags & os.O_CREAT:
        return original(kept.visible(place), flags, *args, **kwargs)
    return original(kept.to_write(place, keep=not flags & os.O_TRUNC), flags, *args, **kwargs)


def _reads(kept: Apart, original: Function, path: Any, *args: Any, **kwargs: Any) -> Any:
    place = _place(kept, path, kwargs.get("follow_symlinks", True))
    return original(path if place is None else kept.visible(place), *args, **kwargs)


def _reads_link(kept: Apart, original: Function, path: Any, *args: Any, **kwargs: Any) -> Any:
    place = _place(kept, path, follow=False)
    return original(path if place is None else kept.visible(place), *args, **kwargs)


def _changes(kept: Apart, original: Function, path: Any, *args: Any, **kwargs: Any) -> Any:
    place = _place(kept, path)
    if place is None:
        return original(path, *args, **kwargs)
    if stat.S_ISDIR(os.stat(kept.visible(place)).st_mode):
        return original(kept.folder_to_change(place), *args, **kwargs)
    return original(kept.to_write(place, keep=True), *args, **kwargs)


def _listdir(kept: Apart, original: Function, path: Any = ".") -> Any:
    place = _place(kept, path)
    if place is None:
        return original(path)
    names = kept.names(place) if os.path.isdir(kept.visible(place)) else original(kept.visible(place))
    return [os.fsencode(name) for name in names] if isinstance(path, bytes) else names


class Entry:
    """An `os.DirEntry` of what the script sees."""

    def __init__(self, folder: Any, name: Any) -> None:
        self.name = name
        self.path = os.path.join(folder, name)

    def __fspath__(self) -> Any:
        return self.path

    def __repr__(self) -> str:
        return f"<DirEntry {self.name!r}>"

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """See `os.DirEntry`."""
        return os.stat(self.path, follow_symlinks=follow_symlinks)

    def inode(self) -> int:
        """See `os.DirEntry`."""
        return os.lstat(self.path).st_ino

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """See `os.DirEntry`."""
        return self._is(stat.S_ISDIR, follow_symlinks)

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """See `os.DirEntry`."""
        return self._is(stat.S_ISREG, follow_symlinks)

    def is_symlink(self) -> bool:
        """See `os.DirEntry`."""
        return self._is(stat.S_ISLNK, False)

    def is_junction(self) -> bool:
        """See `os.DirEntry`."""
        return False

    def _is(self, kind: Callable[[int], bool], follow: bool) -> bool:
        try:
            return kind(self.stat(follow_symlinks=follow).st_mode)
        except FileNotFoundError:
            return False


class Entries:
    """What `os.scandir` returns."""

    def __init__(self, entries: list[Entry]) -> None:
        self._entries = iter(entries)

    def __iter__(self) -> Iterator[Entry]:
        return self._entries

    def __next__(self) -> Entry:
        return next(self._entries)

    def __enter__(self) -> Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """See `os.scandir`."""
        self._entries = iter(())


def _scandir(kept: Apart, original: Function, path: Any = ".") -> Any:
    path = "." if path is None else path
    place = _place(kept, path)
    if place is None:
        return original(path)
    names = _listdir(kept, os.listdir, path)
    return Entries([Entry(os.fspath(path), name) for name in names])


def _mkdir(kept: Apart, original: Function, path: Any, *args: Any, **kwargs: Any) -> None:
    place = _place(kept, path)
    if place is None:
        return original(path, *args, **kwargs)
    if kept.exists(place):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), place)
    return original(kept.to_write(place, keep=False), *args, **kwargs)


def _rmdir(kept: Apart, original: Function, path: Any, **kwargs: Any) -> None:
    place = _place(kept, path, follow=False)
    if place is None:
        return original(path, **kwargs)
    if os.path.isdir(kept.visible(place)) and kept.names(place):
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), place)
    return _drop(kept, original, place)


def _remove(kept: Apart, original: Function, path: Any, **kwargs: Any) -> None:
    place = _place(kept, path, follow=False)
    return original(path, **kwargs) if place is None else _drop(kept, original, place)


def _drop(kept: Apart, original: Function, place: str) -> None:
    """Removes what is kept of it, by the original function, and hides what is really there."""
    mirror = kept.mirror(place)
    if os.path.lexists(mirror):
        original(mirror)
    elif not kept.exists(place):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), place)
    elif os.path.isdir(place) and not os.path.islink(place) and original.__name__ != "rmdir":
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), place)
    elif not os.access(os.path.dirname(place), os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), place)
    kept.remove(place)


def _rename(kept: Apart, original: Function, source: Any, target: Any, **kwargs: Any) -> None:
    old, new = _place(kept, source, follow=False), _place(kept, target, follow=False)
    if old is None and new is None:
        return original(source, target, **kwargs)
    old = os.path.abspath(os.fsdecode(source)) if old is None else old
    from_path = kept.visible(old)
    if new is None:  # Into the temporary folder.
        return shutil.move(from_path, target) if from_path != old else original(source, target)
    if not os.path.lexists(from_path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), old, None, new)
    if os.path.isdir(from_path) and not os.path.islink(from_path):
        _move_folder(kept, old, new)
    else:
        to_path = kept.to_write(new, keep=False)
        if to_path == new:  # Not to be written to.
            return original(source, target, **kwargs)
        # As a copy, unless it is kept already, when it can be moved.
        if from_path != old:
            original(from_path, to_path)
        else:
            if os.path.lexists(to_path):
                os.remove(to_path)
            shutil.copy2(from_path, to_path, follow_symlinks=False)
    if not kept.is_hidden(old):
        kept.remove(old)
    return None


def _move_folder(kept: Apart, old: str, new: str) -> None:
    if kept.exists(new) and (not os.path.isdir(kept.visible(new)) or kept.names(new)):
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), old, None, new)
    to_path = kept.to_write(new, keep=False)
    os.makedirs(to_path, exist_ok=True)
    for name in kept.names(old):
        part, into = os.path.join(old, name), os.path.join(new, name)
        if os.path.isdir(kept.visible(part)) and not os.path.islink(kept.visible(part)):
            _move_folder(kept, part, into)
        else:
            shutil.copy2(kept.visible(part), kept.mirror(into), follow_symlinks=False)
    shutil.rmtree(kept.mirror(old), ignore_errors=True)


def _link(kept: Apart, original: Function, source: Any, target: Any, **kwargs: Any) -> None:
    old, new = _place(kept, source), _place(kept, target, follow=False)
    if old is None or new is None:
        return original(source, target, **kwargs)
    if kept.exists(new):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), old, None, new)
    # A link to the user's own file would let it be changed.
    shutil.copy2(kept.visible(old), kept.to_write(new, keep=False))
    return None


def _symlink(kept: Apart, original: Function, source: Any, target: Any, *args: Any, **kwargs: Any) -> None:
    place = _place(kept, target, follow=False)
    if place is None:
        return original(source, target, *args, **kwargs)
    if kept.exists(place):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), source, None, place)
    return original(source, kept.to_write(place, keep=False), *args, **kwargs)


def _getcwd(kept: Apart, _: Function) -> str:
    return kept.working_directory()


def _getcwdb(kept: Apart, _: Function) -> bytes:
    return os.fsencode(kept.working_directory())


_OF_OS: dict[str, Callable[..., Any]] = {
    "open": _open_descriptor,
    "stat": _reads,
    "access": _reads,
    "chdir": _reads,
    "lstat": _reads_link,
    "readlink": _reads_link,
    "listdir": _listdir,
    "scandir": _scandir,
    "chmod": _changes,
    "chown": _changes,
    "utime": _changes,
    "truncate": _changes,
    "mkdir": _mkdir,
    "rmdir": _rmdir,
    "remove": _remove,
    "unlink": _remove,
    "rename": _rename,
    "replace": _rename,
    "link": _link,
    "symlink": _symlink,
    "getcwd": _getcwd,
    "getcwdb": _getcwdb,
}
