"""What `redirect` does, for the native code that Keras writes with: HDF5 and TensorFlow's file system."""

from __future__ import annotations

import functools
import os
from types import ModuleType
from typing import Any, Callable

from .hooks import Patch
from .redirect import to_read, to_write


def _h5py(module: ModuleType) -> None:
    start = module.File.__init__

    @functools.wraps(start)
    def started(self: Any, name: Any, mode: str = "r", *args: Any, **kwargs: Any) -> None:
        if isinstance(name, (str, bytes, os.PathLike)):
            new = mode in ("x", "w-") and os.path.exists(name)
            name = to_read(name) if mode == "r" or new else to_write(name, keep=mode != "w")
        start(self, name, mode, *args, **kwargs)

    module.File.__init__ = started


class _FileSystem:
    """Stands in for the module through which TensorFlow's Python reaches its file system."""

    def __init__(self, original: Any) -> None:
        self._original = original

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._original, name)
        redirected = _OF_FILE_SYSTEM.get(name)
        return function if redirected is None else functools.partial(redirected, function)


def _is_remote(path: Any) -> bool:
    return b"://" in (path if isinstance(path, bytes) else os.fsencode(path))


def _reads(function: Callable[..., Any], path: Any, *args: Any) -> Any:
    return function(path if _is_remote(path) else to_read(path), *args)


def _lists(function: Callable[..., Any], path: Any, *args: Any) -> Any:
    return function(path, *args) if _is_remote(path) else os.listdir(os.fsdecode(path))


def _matches(function: Callable[..., Any], pattern: Any, *args: Any) -> Any:
    import glob

    return function(pattern, *args) if _is_remote(pattern) else glob.glob(os.fsdecode(pattern))


def _writes(function: Callable[..., Any], path: Any, *args: Any) -> Any:
    return function(path if _is_remote(path) else to_write(path), *args)


def _writable(function: Callable[..., Any], path: Any, mode: bytes, *args: Any) -> Any:
    return function(path if _is_remote(path) else to_write(path, keep=b"a" in mode), mode, *args)


def _makes(function: Callable[..., Any], path: Any, *args: Any) -> Any:
    return function(path, *args) if _is_remote(path) else os.makedirs(os.fsdecode(path), exist_ok=True)


def _deletes(function: Callable[..., Any], path: Any, *args: Any) -> Any:
    if _is_remote(path) or not os.path.isfile(path):
        return function(path, *args)  # Fails, with TensorFlow's own error.
    return os.remove(os.fsdecode(path))


def _deletes_all(function: Callable[..., Any], path: Any, *args: Any) -> Any:
    import shutil

    if _is_remote(path) or not os.path.isdir(path):
        return function(path, *args)
    return shutil.rmtree(os.fsdecode(path))


def _renames(function: Callable[..., Any], source: Any, target: Any, *args: Any) -> Any:
    overwrite = bool(args and args[-1]) or not os.path.exists(target)
    if _is_remote(source) or _is_remote(target) or not os.path.exists(source) or not overwrite:
        return function(source, target, *args)
    return os.replace(os.fsdecode(source), os.fsdecode(target))


def _copies(function: Callable[..., Any], source: Any, target: Any, *args: Any) -> Any:
    if _is_remote(source) or _is_remote(target):
        return function(source, target, *args)
    return function(to_read(source), to_write(target, keep=False), *args)


_OF_FILE_SYSTEM: dict[str, Callable[..., Any]] = {
    "FileExists": _reads,
    "ReadFileToString": _reads,
    "IsDirectory": _reads,
    "Stat": _reads,
    "BufferedInputStream": _reads,
    "GetChildren": _lists,
    "GetMatchingFiles": _matches,
    "WriteStringToFile": _writes,
    "WritableFile": _writable,
    "CreateDir": _makes,
    "RecursivelyCreateDir": _makes,
    "DeleteFile": _deletes,
    "DeleteRecursively": _deletes_all,
    "RenameFile": _renames,
    "CopyFile": _copies,
}


def _file_io(module: ModuleType) -> None:
    module._pywrap_file_io = _FileSystem(module._pywrap_file_io)


def _summaries(module: ModuleType) -> None:
    create = module.create_file_writer_v2

    @functools.wraps(create)
    def created(logdir: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(logdir, (str, bytes, os.PathLike)) and not _is_remote(logdir):
            os.makedirs(logdir, exist_ok=True)
            logdir = to_write(logdir)
        return create(logdir, *args, **kwargs)

    module.create_file_writer_v2 = created


def _checkpoints(module: ModuleType) -> None:
    saver = module.TrackableSaver
    save, restore = saver.save, saver.restore

    @functools.wraps(save)
    def saved(self: Any, file_prefix: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(file_prefix, (str, os.PathLike)) or _is_remote(file_prefix):
            return save(self, file_prefix, *args, **kwargs)
        os.makedirs(os.path.dirname(file_prefix) or ".", exist_ok=True)
        place = to_write(file_prefix)
        result = save(self, place, *args, **kwargs)
        return os.fspath(file_prefix) if isinstance(result, (str, bytes)) else result

    @functools.wraps(restore)
    def restored(self: Any, save_path: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(save_path, (str, os.PathLike)) and not _is_remote(save_path):
            # A prefix: the file itself has an ending.
            save_path = to_read(f"{os.fspath(save_path)}.index")[: -len(".index")]
        return restore(self, save_path, *args, **kwargs)

    saver.save, saver.restore = saved, restored


def _saved_models(module: ModuleType) -> None:
    native = module.pywrap_saved_model
    save = native.Save
    native.Save = lambda path: save(path if _is_remote(path) else to_write(path))


class _Reader:
    """Stands in for a module of functions that read from the folder given to them first."""

    def __init__(self, original: Any) -> None:
        self._original = original

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._original, name)
        return value if isinstance(value, type) or not callable(value) else functools.partial(_folder, value)


def _folder(function: Callable[..., Any], *args: Any) -> Any:
    return _reads(function, *args) if args and isinstance(args[0], (str, os.PathLike)) else function(*args)


def _fingerprints(module: ModuleType) -> None:
    module.fingerprinting_pywrap = _Reader(module.fingerprinting_pywrap)


PATCHES: dict[str, Patch] = {
    "h5py._hl.files": _h5py,
    "tensorflow.python.lib.io.file_io": _file_io,
    "tensorflow.python.ops.summary_ops_v2": _summaries,
    "tensorflow.python.checkpoint.checkpoint": _checkpoints,
    "tensorflow.python.saved_model.fingerprinting": _fingerprints,
    "tensorflow.python.saved_model.fingerprinting_utils": _fingerprints,
    "tensorflow.python.saved_model.save": _saved_models,
}
