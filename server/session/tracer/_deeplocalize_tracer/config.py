"""The settings of a run, which the tool passes in an environment variable."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field

VARIABLE = "_DEEPLOCALIZE_CONFIG"
_FILES = "_DEEPLOCALIZE_FILES"


@dataclass(frozen=True)
class Config:
    """Which steps are probed, and what runs in place of the files on disk."""

    dense_steps: int = 50
    every: int = 10
    # Real path of a file: path of the file with the text to run instead.
    overrides: dict[str, str] = field(default_factory=dict)
    # Whether the process serves trials that the tool sends, instead of running the script once.
    trials: bool = False
    # Modules that the trials will need.
    modules: list[str] = field(default_factory=list)
    # Folder for what the script writes, when nobody else keeps that apart.
    files: str | None = None

    @property
    def adaptive(self) -> bool:
        """Whether steps may be left out for what they cost; not when all of them were asked for."""
        return self.every > 1

    def due(self, step: int) -> bool:
        """Whether this step is probed, whatever it costs."""
        return step < self.dense_steps or step % self.every == 0


def take() -> Config:
    """Reads the settings and removes them from the environment, so that the script does not see them."""
    given = json.loads(os.environ.pop(VARIABLE, "{}"))
    default = Config()
    return Config(
        dense_steps=int(given.get("dense_steps", default.dense_steps)),
        every=max(1, int(given.get("every", default.every))),
        files=os.environ.pop(_FILES, None),
        overrides=dict(given.get("overrides", {})),
        trials=bool(given.get("trials")),
        modules=list(given.get("modules", [])),
    )


current = Config()
