"""Generators as the page shows them: each with its last minutes."""

from __future__ import annotations

from dataclasses import dataclass

from eddyline.service.generators import GeneratorInfo, Generators
from eddyline.service.sending import Point


@dataclass(frozen=True, slots=True)
class SendingRate:
    """A generator and its last minutes."""

    info: GeneratorInfo
    history: tuple[Point, ...]


def sending_rates(generators: Generators) -> list[SendingRate]:
    """Every generator as it is now, by name."""
    return [SendingRate(info, generators.history(info.id)) for info in generators.list()]
