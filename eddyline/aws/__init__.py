"""The AWS faces: protocol and services, shapes from botocore's own models."""

from __future__ import annotations

from eddyline.aws.workers import ApiWorkers

__all__ = ["ApiWorkers"]
