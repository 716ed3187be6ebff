"""PyFlink's settings in a note: one without effect says so once, an unknown one is refused."""

from __future__ import annotations

import pytest

from eddyline.kernel import checkpoints
from eddyline.kernel.checkpoints import CheckpointConfig, CheckpointingMode
from eddyline.kernel.expression_calls import CURRENT_ROW, UNBOUNDED_ROW
from eddyline.kernel.expressions import col
from eddyline.kernel.table_windows import Over
from eddyline.kernel.tables import StreamExecutionEnvironment


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is run, in place of a session."""
    run: list[str] = []
    monkeypatch.setattr(checkpoints, "run", run.append)
    monkeypatch.setattr(checkpoints, "_warned", set())
    return run


@pytest.mark.parametrize("name", checkpoints.CHECKPOINTS)
@pytest.mark.usefixtures("statements")
def test_a_setting_without_effect_says_so_once(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configuration = CheckpointConfig()
    assert getattr(configuration, name)(1) is configuration
    getattr(CheckpointConfig(), name)(2)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"warning: CheckpointConfig.{name}() has no effect here: ")


@pytest.mark.usefixtures("statements")
def test_the_environments_settings_say_so_too(capsys: pytest.CaptureFixture[str]) -> None:
    for name in checkpoints.ENVIRONMENT:
        getattr(StreamExecutionEnvironment(), name)(1)
    assert capsys.readouterr().out.count("has no effect here") == len(checkpoints.ENVIRONMENT)


def test_an_unknown_setting_is_refused_by_name() -> None:
    with pytest.raises(AttributeError, match="set_speed is not available here"):
        CheckpointConfig().set_speed(1)
    with pytest.raises(AttributeError, match="set_speed is not available here"):
        StreamExecutionEnvironment().set_speed(1)


def test_settings_with_an_option_set_it(statements: list[str]) -> None:
    StreamExecutionEnvironment().enable_checkpointing(500, CheckpointingMode.AT_LEAST_ONCE)
    assert statements == [
        "SET 'execution.checkpointing.interval' = '500 ms'",
        "SET 'execution.checkpointing.mode' = 'AT_LEAST_ONCE'",
    ]


def test_an_over_window_ends_with_the_current_row() -> None:
    window = Over.order_by(col("ts")).preceding(UNBOUNDED_ROW)
    assert window.following(CURRENT_ROW).text.endswith("UNBOUNDED PRECEDING AND CURRENT ROW")
    with pytest.raises(ValueError, match="ends with the current row"):
        window.following(UNBOUNDED_ROW)
