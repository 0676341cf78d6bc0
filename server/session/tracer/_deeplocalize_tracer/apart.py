"""Where files are that the script has written, when the system has no overlay to keep them apart.

A folder mirrors the absolute paths of what was written; what is in it hides what is at that path. What was
removed is hidden too, with everything below it.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile

# Taken before anything is redirected.
_stat, _lstat, _access, _getcwd = os.stat, os.lstat, os.access, os.getcwd
_mkdir, _readlink, _listdir, _open = os.mkdir, os.readlink, os.listdir, open
_NOT_FILES = ("/dev", "/proc", "/sys")
_MOST_LINKS = 40


def _exists(path: str) -> bool:
    try:
        _lstat(path)
    except (OSError, ValueError):
        return False
    return True


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(_stat(path).st_mode)
    except (OSError, ValueError):
        return False


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


class Apart:
    """The files of the script, as it sees them."""

    def __init__(self, folder: str) -> None:
        self.folder = os.path.realpath(folder)
        os.makedirs(self.folder, exist_ok=True)
        self._scratch = os.path.dirname(self.folder)
        self._temporary = os.path.realpath(tempfile.gettempdir())
        self._own_temporaries: set[str] = set()
        self._removed: set[str] = set()

    def working_directory(self) -> str:
        """As the script sees it; it may be in a folder that is only in the mirror."""
        path = _getcwd()
        return "/" + path[len(self.folder) :].lstrip("/") if _below(path, self.folder) else path

    def locate(self, path: str, follow: bool = True) -> str | None:
        """The absolute path without links, save for the last when it is not to be followed.

        `None` for what is not kept apart: devices, and what the script makes in the temporary folder.
        """
        absolute = os.path.normpath(os.path.join(self.working_directory(), path))
        for _ in range(_MOST_LINKS):
            if follow:
                found = os.path.realpath(absolute)
            else:
                folder, name = os.path.split(absolute)
                found = os.path.join(os.path.realpath(folder), name)
            link = self.mirror(found)
            if not follow or not os.path.islink(link):
                break
            absolute = os.path.normpath(os.path.join(os.path.dirname(found), _readlink(link)))
        if any(_below(found, folder) for folder in (*_NOT_FILES, self._scratch)):
            return None
        return None if self._is_own_temporary(found) else found

    def _is_own_temporary(self, path: str) -> bool:
        """Whether this lies in something that was not in the temporary folder when the script began.

        Other programs may be waiting for it under that very name.
        """
        if not _below(path, self._temporary) or path == self._temporary:
            return False
        top = path[len(self._temporary) :].lstrip(os.sep).partition(os.sep)[0]
        if top not in self._own_temporaries:
            at = os.path.join(self._temporary, top)
            if _exists(at) or _exists(self.mirror(at)):
                return False
            self._own_temporaries.add(top)
        return True

    def mirror(self, path: str) -> str:
        """Where the file of this path is kept if it is written."""
        return self.folder + path

    def is_hidden(self, path: str) -> bool:
        """Whether what is really at this path was removed."""
        while path not in self._removed:
            parent = os.path.dirname(path)
            if parent == path:
                return False
            path = parent
        return True

    def visible(self, path: str) -> str:
        """The path at which the file is to be had; nothing is there when the script sees nothing."""
        kept = self.mirror(path)
        return kept if _exists(kept) or self.is_hidden(path) else path

    def exists(self, path: str) -> bool:
        """Whether the script sees something there."""
        return _exists(self.visible(path))

    def names(self, path: str) -> list[str]:
        """What the script sees in a folder."""
        kept = self.mirror(path)
        if not _is_folder(kept):
            return [] if self.is_hidden(path) else self._unhidden(path)
        names = dict.fromkeys(_listdir(kept))
        if not self.is_hidden(path) and _is_folder(path):
            names.update(dict.fromkeys(self._unhidden(path)))
        return list(names)

    def _unhidden(self, path: str) -> list[str]:
        return [name for name in _listdir(path) if os.path.join(path, name) not in self._removed]

    def to_write(self, path: str, keep: bool) -> str:
        """The path to write to; with what is there so far when that is to be kept.

        Where the script could not write, a path at which that fails for the same reason.
        """
        kept = self.mirror(path)
        if _exists(kept):
            return kept
        real = self.visible(path)
        if real == path and _exists(path):
            if not _access(path, os.W_OK) or _is_folder(path):
                return path
            self._make_folder(os.path.dirname(path))
            if keep:
                shutil.copy2(path, kept, follow_symlinks=False)
            else:
                _open(kept, "wb").close()
                shutil.copymode(path, kept)
            return kept
        parent = os.path.dirname(path)
        seen = self.visible(parent)
        if not _is_folder(seen) or not _access(seen, os.W_OK):
            return os.path.join(seen, os.path.basename(path))
        self._make_folder(parent)
        return kept

    def folder_to_change(self, path: str) -> str:
        """The same for a folder of which no content is wanted, only its own properties."""
        if _is_folder(self.visible(path)):
            self._make_folder(path)
        return self.visible(path)

    def _make_folder(self, path: str) -> None:
        kept = self.mirror(path)
        if _exists(kept):
            return
        parent = os.path.dirname(path)
        if parent != path:
            self._make_folder(parent)
        _mkdir(kept)
        try:
            shutil.copymode(path, kept)
        except OSError:
            return

    def remove(self, path: str) -> None:
        """Hides what is really there; what is kept was removed by the caller."""
        if _exists(path) and path not in self._removed:
            self._removed.add(path)
            with _open(os.path.join(self._scratch, "removed"), "ab") as file:
                file.write(os.fsencode(path) + b"\0")
