# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong in ways that an animator can do something about."""

from __future__ import annotations

from .wording import one_line

_LONGEST_DETAILS = 20_000


class AddonError(Exception):
    """One sentence for the panel: what is wrong and what to do, in one line of visible letters.

    Attributes:
        details: more for the *Details* button, such as the engine's last lines; may be empty.
    """

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(one_line(message))
        self.details = details[-_LONGEST_DETAILS:]


class EngineStopped(AddonError):
    """The engine process could not be started, or ended while it was needed."""


class EngineRefused(AddonError):
    """The engine answered a request with an error."""


class JobCancelled(AddonError):
    """The animator asked to stop."""
