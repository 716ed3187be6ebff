"""The list of regions is botocore's own."""

from __future__ import annotations

import botocore.session

from eddyline.generator.regions import regions


def test_regions_are_those_botocore_names() -> None:
    named = botocore.session.get_session().get_available_regions("kinesis")
    assert list(regions()) == sorted(named)
    assert "eu-central-1" in regions()
