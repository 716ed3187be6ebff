"""The pauses after failures, exactly, for each strategy."""

from __future__ import annotations

import pytest

from eddyline.errors import EddylineError
from eddyline.service.restart_policy import SAME_PLACE_MAX, restart_policy
from eddyline.sql.options import SessionConfig

ENDPOINT = EddylineError("endpoint_error", "the endpoint does not answer")
FAULT = EddylineError("internal", "a fault")
RECORD = EddylineError("bad_record", "a record does not fit")
EXPONENTIAL = {
    "exponential-delay.jitter-factor": "0",
    "exponential-delay.initial-backoff": "2 s",
    "exponential-delay.backoff-multiplier": "3",
    "exponential-delay.max-backoff": "10 s",
    "exponential-delay.reset-backoff-threshold": "100 s",
}
RATE = {"type": "failure-rate", "failure-rate.delay": "5 s",
        "failure-rate.failure-rate-interval": "10 s"}  # fmt: skip


def pauses(
    options: dict[str, str], seconds: list[float], error: EddylineError = ENDPOINT, step: int = 1
) -> list[float | None]:
    """The pauses after failures at these seconds, ``step`` micro-batches apart."""
    config = SessionConfig({f"restart-strategy.{k}": v for k, v in options.items()})
    policy = restart_policy(config, "job")
    return [policy.next_s(error, at, n * step) for n, at in enumerate(seconds)]


@pytest.mark.parametrize(
    ("options", "seconds", "expected"),
    [
        (EXPONENTIAL, [0, 1, 2, 3], [2, 6, 10, 10]),
        # The last pause counts to the time without a failure.
        (EXPONENTIAL, [0, 106, 216, 327], [2, 6, 10, 2]),
        ({**EXPONENTIAL, "exponential-delay.attempts-before-reset-backoff": "2"},
         [0, 1, 2, 113], [2, 6, None, 2]),
        ({"type": "fixed-delay", "fixed-delay.attempts": "2", "fixed-delay.delay": "7 s"},
         [0, 1, 2], [7, 7, None]),
        ({**RATE, "failure-rate.max-failures-per-interval": "2"}, [0, 1, 2], [5, 5, None]),
        ({**RATE, "failure-rate.max-failures-per-interval": "2"}, [0, 10, 20.5], [5, 5, 5]),
        ({"type": "none"}, [0], [None]),
    ],
)  # fmt: skip
def test_pauses(
    options: dict[str, str], seconds: list[float], expected: list[float | None]
) -> None:
    assert pauses(options, seconds) == expected


def test_a_fault_at_one_place_is_tried_so_often() -> None:
    count = SAME_PLACE_MAX + 1
    assert SAME_PLACE_MAX == 3
    here = pauses(EXPONENTIAL, [float(n) for n in range(count)], FAULT, step=0)
    assert [p is None for p in here] == [False] * SAME_PLACE_MAX + [True]
    further = pauses(EXPONENTIAL, [float(n) for n in range(count)], FAULT)
    assert None not in further
    assert None not in pauses({**EXPONENTIAL, "type": "exponential-delay"}, [0, 1, 2, 3, 4], FAULT,
                              step=0)  # fmt: skip


def test_a_record_that_does_not_fit_is_tried_again_only_if_a_strategy_was_set() -> None:
    assert pauses(EXPONENTIAL, [0], RECORD) == [None]
    assert pauses({**EXPONENTIAL, "type": "exponential-delay"}, [0], RECORD) == [2]


def test_jitter_lies_around_the_pause() -> None:
    options = {**EXPONENTIAL, "exponential-delay.jitter-factor": "0.5",
               "exponential-delay.backoff-multiplier": "1"}  # fmt: skip
    drawn = [p for p in pauses(options, [float(n) for n in range(50)]) if p is not None]
    assert 1 <= min(drawn) < 1.5
    assert 2.5 < max(drawn) <= 3
