"""What every page needs: the services, and what is sampled once for all of them."""

from __future__ import annotations

from dataclasses import dataclass

from eddyline.service.services import Services
from eddyline.settings import Settings
from eddyline.studio.rates import Rates


@dataclass(frozen=True, slots=True)
class StudioContext:
    """One studio's services, settings, and the rates of streams."""

    services: Services
    settings: Settings
    rates: Rates
