"""How large a measurement is."""

from __future__ import annotations

from dataclasses import dataclass

SHRUNK = 50
QUICK_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Effort:
    """The sizes of the goals, or with `quick` small ones: they try the bench, not the product."""

    quick: bool = False

    def count(self, full: int, *, least: int = 1) -> int:
        return max(full // SHRUNK, least) if self.quick else full

    def seconds(self, full: float) -> float:
        return QUICK_SECONDS if self.quick else full
