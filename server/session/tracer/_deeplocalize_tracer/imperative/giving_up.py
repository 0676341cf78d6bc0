"""Ends a script that needs what this mechanism does not have."""

from __future__ import annotations

import os
from typing import Any, NoReturn

from .. import sites
from ..channel import channel

# Exit status of a script that was given up; the tool goes by the message.
STATUS = 86


class NotCovered(Exception):
    """Something of the script is not covered; the text names it."""


def give_up(what: str, site: dict[str, Any] | None = None, raised: bool = False) -> NoReturn:
    """Tells the tool what is not covered, and ends the process at once.

    No exception: the script might catch it, and go on without what it asked for.
    """
    channel.send("fallback", what=what, site=site or sites.caller(), raised=raised)
    channel.flush()
    os._exit(STATUS)
