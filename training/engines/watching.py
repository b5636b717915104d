"""What a training says while it works, and how it hears that it is to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol


class Tell(Protocol):
    def __call__(self, event: str, **facts: Any) -> None: ...


class Stopped(Exception):
    """The training stopped when asked to; if it had begun, it left a checkpoint."""


@dataclass(frozen=True, slots=True)
class Watcher:
    """Whoever started the training: told of events, and asked whether to stop."""

    tell: Tell
    stopping: Callable[[], bool]

    def beat(self, *_: object) -> None:
        """Say that work goes on where there is no step to tell of. Raises Stopped when asked to."""
        if self.stopping():
            raise Stopped
        self.tell("beat")
