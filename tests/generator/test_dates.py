"""Random dates: formats, zones, references, and the simulated clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from eddyline.errors import EddylineError
from eddyline.generator.template import compile_template

NOW_MS = 1_764_000_000_123  # 2025-11-24T16:00:00.123Z
SIM_MS = 1_577_836_800_000  # 2020-01-01T00:00:00Z
DAY_MS = 86_400_000


def render(tag: str, n: int = 200, sim_ms: int | None = None) -> list[str]:
    template = compile_template("{{" + tag + "}}")
    assert template.warnings == ()
    records = template.render(n, np.random.default_rng(5), NOW_MS, sim_ms=sim_ms)
    assert max(map(len, records.to_pylist())) <= template.record_bytes_max
    return [r.decode() for r in records.to_pylist()]


@pytest.mark.parametrize(
    ("tag", "low", "high"),
    [
        ('date.past({"format":"x"})', NOW_MS - 365 * DAY_MS, NOW_MS),
        ('date.past({"years":2,"format":"x"})', NOW_MS - 730 * DAY_MS, NOW_MS),
        ('date.past(1,null,"x")', NOW_MS - 365 * DAY_MS, NOW_MS),
        ('date.past({"refDate":"2020-01-01","format":"x"})', SIM_MS - 365 * DAY_MS, SIM_MS),
        ('date.future({"format":"x"})', NOW_MS, NOW_MS + 365 * DAY_MS),
        ('date.recent({"days":2,"format":"x"})', NOW_MS - 2 * DAY_MS, NOW_MS),
        ('date.soon({"days":2,"format":"x"})', NOW_MS, NOW_MS + 2 * DAY_MS),
        ('date.anytime({"format":"x"})', NOW_MS - 365 * DAY_MS, NOW_MS + 365 * DAY_MS),
        ('date.between("2020-01-01","2020-01-03","x")', SIM_MS, SIM_MS + 2 * DAY_MS),
        ('date.between("2020-01-01","2020-01-03",{"format":"x"})', SIM_MS, SIM_MS + 2 * DAY_MS),
        ('date.past(1,{"format":"x"})', NOW_MS - 365 * DAY_MS, NOW_MS),
        ('date.birthdate({"min":30,"max":31,"format":"x"})',
         NOW_MS - 32 * 366 * DAY_MS, NOW_MS - 30 * 365 * DAY_MS),
    ],
)  # fmt: skip
def test_a_format_is_honoured(tag: str, low: int, high: int) -> None:
    instants = [int(t) for t in render(tag)]
    assert low <= min(instants)
    assert max(instants) <= high
    assert max(instants) - min(instants) > (high - low) * 0.5


def test_a_format_of_years_writes_years() -> None:
    assert {int(t) for t in render('date.past({"format":"YYYY"})')} == {2024, 2025}


@pytest.mark.parametrize("name", ["past", "future", "recent", "soon", "between"])
def test_a_zone_is_honoured(name: str) -> None:
    dates = '"from":"2020-01-01","to":"2021-01-01",' if name == "between" else ""
    tag = f'date.{name}({{{dates}"format":"x YYYY-MM-DDTHH:mm:ss Z z","zone":"Europe/Berlin"}})'
    for text in render(tag):
        ms, local, offset, zone = text.split(" ")
        when = datetime.fromtimestamp(int(ms) // 1000, UTC).astimezone(ZoneInfo("Europe/Berlin"))
        assert local == when.strftime("%Y-%m-%dT%H:%M:%S")
        assert offset.replace(":", "") == when.strftime("%z")
        assert zone == when.tzname()


def test_the_records_instant_is_written_in_a_zone() -> None:
    assert render('date.now("HH:mm Z","Asia/Tokyo")', 1) == ["01:00 +09:00"]
    assert render('date.utc("HH:mm","America/New_York")', 1) == ["11:00"]
    assert render('date.now({"format":"HH","zone":"UTC"})', 1) == ["16"]


def test_an_unknown_zone_is_told() -> None:
    with pytest.raises(EddylineError, match="no zone is called 'Mars/Olympus'"):
        compile_template('{{date.past({"zone":"Mars/Olympus"})}}')


@pytest.mark.parametrize("name", ["past", "future", "recent", "soon", "anytime", "birthdate"])
def test_random_dates_stand_around_the_simulated_clock(name: str) -> None:
    tag = f'date.{name}({{"format":"YYYY-MM-DD HH:mm:ss.SSS"}})'
    first = render(tag, sim_ms=SIM_MS)
    assert first == render(tag, sim_ms=SIM_MS)  # nothing of the machine's clock is in them
    years = {int(re.match(r"\d+", t)[0]) for t in first}  # type: ignore[index]
    assert max(years) <= 2021
