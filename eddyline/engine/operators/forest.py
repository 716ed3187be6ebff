"""RANDOM_CUT_FOREST as an operator: points in time order to the detectors, scores back.

The detectors are pure arithmetic; this file lends them order, keys and a memory. Points are
taken in order of (time, arrival) as far as the watermark has settled it, so that scores do not
depend on how rows were cut into batches. With ``fill`` a window in which a known key has no row
gives that key a point of its own, so that silence can be seen as well as noise.

State: rows that wait for the watermark, the keys where windows are filled, and the keys' models
(``forest_models``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from eddyline.anomaly.choices import NOW, begun
from eddyline.engine import scores
from eddyline.engine.keyed.versions import KeyedVersions
from eddyline.engine.operators.forest_episodes import Episodes
from eddyline.engine.operators.forest_fill import Gaps
from eddyline.engine.operators.forest_incidents import Incidents
from eddyline.engine.operators.forest_keys import ForestKeys, KeysOfStep
from eddyline.engine.operators.forest_models import SCHEMA, ForestModels
from eddyline.engine.operators.operator import (
    Operator,
    OperatorContext,
    Step,
    typed,
)
from eddyline.engine.operators.settled import ORDER, TIME, SettledRows
from eddyline.engine.operators.windows import refuse_changes, stamp
from eddyline.engine.scores import Doubles, ScorePoints, doubles_of
from eddyline.record.batch import Batch
from eddyline.sql import physical as plan

if TYPE_CHECKING:
    from eddyline.anomaly.detector import Detectors, Verdicts

Bools = npt.NDArray[np.bool_]
_KEY, FILLED = "$k", "$filled"


class Forest(Operator):
    """Scores each row, then learns it; one model per partition."""

    def __init__(
        self,
        context: OperatorContext,
        inputs: tuple[Operator, ...],
        node: plan.Forest,
        listener: Any,
        durable: bool,
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self._node = node
        self._below = inputs[0].schema
        self._listener = listener
        self._durable = durable
        fills = node.fill is not None
        self._keys = ForestKeys(context, self._below, node.partition_by, remembers=fills)
        self.keyed = disk = KeyedVersions(
            context.db,
            self.name,
            SCHEMA,
            directory=context.directory,
            data_dir=context.settings.data_dir,
        )
        self._disk = disk
        self._choices = node.choices
        self._models = ForestModels(context, disk, self._machine, durable=durable)
        self._gaps = Gaps(node, self._below) if node.fill is not None else None
        self._warm = False
        self._episodes = Episodes()
        self._incidents = Incidents(node.partition_by, node.columns)
        self._settled = SettledRows(context, self._below, node.time_column)
        self._unreported: ScorePoints | None = None
        self._unreported_table = context.table("untold")

    def create(self) -> None:
        db = self.context.db
        self._settled.create()
        self._models.create()
        db.run(f"CREATE TABLE {self._unreported_table} ({scores.TABLE})")
        self._keys.create()
        self._choices = begun(self._node.choices, self.context.clock.now_ms())
        self.adapt()

    def adapt(self) -> None:
        for name, kind in scores.MORE:
            self.context.db.run(
                f"ALTER TABLE {self._unreported_table} ADD COLUMN IF NOT EXISTS {name} {kind}"
            )

    def step(self, inputs: tuple[Step, ...]) -> Step:
        batch, watermark = inputs[0].batch, inputs[0].watermark_ms
        if batch is not None and batch.num_rows:
            refuse_changes(batch, "RANDOM_CUT_FOREST")
        rows = self._settled.take(batch, watermark)
        some = rows is not None and rows.num_rows > 0
        taken = self._keys.take(rows) if some else self._keys.none()
        if rows is not None:
            rows = rows.append_column(_KEY, pa.array(taken.ids))
        if self._gaps is not None:
            rows = self._filled(rows, taken, watermark)
        if rows is None or not rows.num_rows:
            return Step(None, watermark)
        scored = self._score(rows, taken)
        self._disk.settle()
        return Step(Batch(scored), watermark)

    def due(self, inputs: tuple[int, ...]) -> tuple[int, bool]:
        if not self._warm:  # once the job has its place in the stream, before it has rows
            from eddyline.anomaly.detector import warm

            warm((len(self._node.columns),))
            self._warm = True
        filling = self._gaps is not None and self._gaps.due(inputs[0])
        return inputs[0], filling or self._settled.due(inputs[0])

    def committed(self, epoch: int) -> None:
        points, self._unreported = self._unreported, None
        if points is not None:
            self._listener.on_scores(points)

    def save(self) -> dict[str, Any]:
        gaps = self._gaps.save() if self._gaps else None
        odd = {"episodes": self._episodes.save(), "incidents": self._incidents.save()}
        live = {"live_from": self._choices.live_from} if self._choices.live_from else {}
        return {**self._settled.save(), **self._models.save(), "gaps": gaps, **odd, **live}

    def restore(self, saved: dict[str, Any]) -> None:
        self._settled.restore(saved)
        if "episodes" in saved:
            self._episodes.restore(saved["episodes"])
            self._incidents.restore(saved["incidents"])
        if self._gaps is not None and saved["gaps"] is not None:
            self._gaps.restore(saved["gaps"])
        self._keys.restore()
        if self._node.choices.live_from.strip().lower() == NOW:
            self._choices = replace(self._node.choices, live_from=saved.get("live_from", ""))
        self._models.restore(saved)
        reported = self.context.db.query(f"SELECT * FROM {self._unreported_table}")
        # The last run may have died before it told them; twice does no harm. Older ones told less.
        if (
            reported.num_rows
            and "lower" in reported.column_names
            and not reported["lower"].null_count
        ):
            self._unreported = ScorePoints.of(reported, self.name, self._node.columns)

    def why_silent(self) -> list[str]:
        out = []
        if self._settled.held:
            out.append(f"{self._settled.held} rows wait at the forest until their time is settled")
        need = self._node.sub_sample_size
        if self._models.taken and self._models.taken < need * max(1, self._models.num_keys):
            out.append(
                f"the forest has learnt {self._models.taken} rows; it scores a key after its first "
                f"{need}"
            )
        if self._disk.num_rows > self._models.room:
            out.append(
                f"there is memory for the models of {self._models.room:,} keys; those of "
                f"{self._models.num_keys:,} are kept, the others on disk, which costs time with "
                "each of their rows (EDDYLINE_FOREST_MEMORY_MIB)"
            )
        if self._gaps is not None and self._gaps.next_ms is not None:
            out.append(
                f"the next window without rows would be filled at {stamp(self._gaps.next_ms)}"
            )
        return out

    def _filled(self, rows: pa.Table | None, taken: KeysOfStep, watermark: int) -> pa.Table | None:
        """Rows, and between them points of known keys for windows that have none."""
        assert self._gaps is not None
        ids = times = None
        if rows is not None and rows.num_rows:
            ids, times = taken.ids, rows[TIME].combine_chunks().to_numpy()
            self._gaps.learn(rows, times)
        where, when = self._gaps.missing(ids, times, watermark)
        if not len(where):
            return rows
        made = self._gaps.rows(taken, where, when)
        order = pa.array(np.full(len(when), self._settled.arrived), pa.int64())
        made = made.append_column(FILLED, pa.array(np.ones(len(when), np.bool_)))
        made = made.append_column(TIME, pa.array(when)).append_column(ORDER, order)
        made = made.append_column(_KEY, pa.array(where))
        if rows is not None:
            given = pa.array(np.zeros(rows.num_rows, np.bool_))
            at = made.column_names.index(FILLED)
            made = pa.concat_tables([rows.add_column(at, FILLED, given).cast(made.schema), made])
        return made.sort_by([(TIME, "ascending"), (ORDER, "ascending")])

    def _score(self, rows: pa.Table, taken: KeysOfStep) -> pa.Table:
        """Scores of settled rows; the detectors move on. NULL, NaN and infinity are no value: the
        other columns are judged, and the forest gives score 0. A row without any value passes with
        score 0 and teaches nothing."""
        node = self._node
        ids = rows[_KEY].combine_chunks().to_numpy()
        points = np.column_stack([doubles_of(rows[c]) for c in node.columns])
        points[~np.isfinite(points)] = np.nan
        whole: Bools = np.asarray(~np.isnan(points).all(axis=1))
        times = rows[TIME].combine_chunks().to_numpy()[whole]
        verdicts, known = self._models.detect(taken.labels, ids[whole], points[whole], times)
        reasons = self._explanations(verdicts)
        shown = taken.shown(ids[whole])
        events = self._episodes.take(shown, times, verdicts)
        incidents = self._incidents.take(shown, times, points[whole], verdicts, events, known)
        filled = _filled_rows(rows, whole)
        reported = self._scored_points(rows, shown, points, whole, verdicts, reasons)
        self._report(replace(reported, event=_texts(events), incident=_texts(incidents)))
        out = rows.select(list(self._below.names))
        out = out.append_column(node.score, pa.array(_spread(verdicts.score, whole)))
        if node.grade is not None:
            out = out.append_column(node.grade, pa.array(_spread(verdicts.grade, whole)))
        if node.explanation is not None:
            texts: npt.NDArray[Any] = np.full(len(whole), None, dtype=object)
            texts[whole] = reasons
            out = out.append_column(node.explanation, pa.array(texts, pa.string()))
        made: list[Callable[[], pa.Array]] = [
            *self._details(points, whole, verdicts),
            lambda: _spread_texts(events, whole),
            lambda: _spread_texts(incidents, whole),
            lambda: filled,
        ]
        for name, values in zip(node.details, made, strict=False):
            if name in self.schema:
                out = out.append_column(name, values())
        return typed(out.select(list(self.schema.names)), self.schema)

    def _details(
        self, points: Doubles, whole: Bools, verdicts: Verdicts
    ) -> list[Callable[[], pa.Array]]:
        """What DETECT_ANOMALIES adds beside, in the order of ``bind.forests.DETAILS``."""
        from eddyline.anomaly import reasons

        columns, judged = list(self._node.columns), points[whole]
        at = (np.arange(len(judged)), verdicts.lead)
        odd, learning = verdicts.grade > 0, verdicts.verdict == 0
        known = np.where(learning, np.nan, 10.0**-verdicts.rarity)

        def numbers(values: Doubles) -> Callable[[], pa.Array]:
            def made() -> pa.Array:
                out = np.full(len(whole), np.nan)
                out[whole] = values
                return pa.array(out, mask=np.isnan(out))

            return made

        def texts(rows: Bools, text: Callable[..., str], of_none: str | None) -> Any:
            def made() -> pa.Array:
                out: Any = np.full(len(whole), of_none, dtype=object)
                places = np.flatnonzero(whole)
                for i in np.flatnonzero(rows).tolist():
                    out[places[i]] = text(columns, judged[i], verdicts, i)
                return pa.array(out, pa.string())

            return made

        def names() -> pa.Array:
            out: Any = np.full(len(whole), reasons.NAMES[0], dtype=object)
            out[whole] = np.array(reasons.NAMES, dtype=object)[verdicts.verdict]
            return pa.array(out, pa.string())

        def episodes() -> pa.Array:
            out = np.zeros(len(whole), np.int64)
            out[whole] = verdicts.episode
            return pa.array(out, mask=out == 0)

        return [
            names,
            numbers(known),
            numbers(verdicts.expected[at]),
            numbers(verdicts.lower[at]),
            numbers(verdicts.upper[at]),
            texts(odd | learning, reasons.reason, None),
            texts(odd, reasons.attribution_json, None),
            episodes,
        ]

    def _explanations(self, verdicts: Verdicts) -> list[str]:
        """JSON a judged row: of all rows if the function gives them, else of anomalous ones."""
        from eddyline.anomaly.detector import explanation_json

        columns = list(self._node.columns)
        high, low = verdicts.attribution_high, verdicts.attribution_low
        texts = [""] * len(verdicts.score)
        anomalous = verdicts.grade > 0
        if self._node.explanation is not None:
            anomalous = np.ones(len(texts), np.bool_)
        for i in np.flatnonzero(anomalous).tolist():
            texts[i] = explanation_json(columns, high[i], low[i])
        return texts

    def _scored_points(
        self,
        rows: pa.Table,
        shown: tuple[str, ...],
        points: Doubles,
        whole: Bools,
        verdicts: Verdicts,
        reasons: list[str],
    ) -> ScorePoints:
        """What the listener is told of the rows that could be judged."""
        from eddyline.anomaly.column.row import DRIFT, LEVEL

        odd = (verdicts.grade > 0).tolist()
        several = np.isin(verdicts.kind, (LEVEL, DRIFT))
        return ScorePoints(
            node=self.name,
            nth=np.arange(self._models.taken - int(whole.sum()), self._models.taken),
            time_ms=rows[TIME].combine_chunks().to_numpy()[whole],
            keys=shown,
            columns=self._node.columns,
            values=points[whole],
            score=verdicts.score,
            grade=verdicts.grade,
            alert=verdicts.alert,
            expected=verdicts.expected,
            explanation=tuple(r if o else "" for r, o in zip(reasons, odd, strict=True)),
            lower=verdicts.lower,
            upper=verdicts.upper,
            rarity=np.where(verdicts.verdict == 0, np.nan, verdicts.rarity),
            episode=verdicts.episode,
            side=np.where(several, verdicts.side, 0).astype(np.int64),
            reason=tuple(self._reasons(points[whole], verdicts)),
        )

    def _reasons(self, points: Doubles, verdicts: Verdicts) -> list[str]:
        """In words why a row is anomalous; empty for the others."""
        from eddyline.anomaly import reasons

        out, columns = [""] * len(points), list(self._node.columns)
        for i in np.flatnonzero(verdicts.grade > 0).tolist():
            out[i] = reasons.reason(columns, points[i], verdicts, i)
        return out

    def _machine(self) -> tuple[Detectors, int]:
        """Detectors without keys, and how many keys there is memory for."""
        from eddyline.anomaly.detector import DetectorOptions, Detectors, ForestOptions
        from eddyline.anomaly.layout import Layout
        from eddyline.anomaly.verdicts import key_bytes

        n = self._node
        forest = ForestOptions(
            number_of_trees=n.number_of_trees,
            sub_sample_size=n.sub_sample_size,
            time_decay=n.time_decay,
            shingle_size=n.shingle_size,
            seed=n.seed,
        )
        options = DetectorOptions(
            forest=forest, tolerance=n.tolerance, normalize=n.grade is not None,
            false_alarms=n.false_alarms, timed=n.time_column is not None, choices=self._choices,
        )  # fmt: skip
        explain: Literal["alerts", "all"] = "alerts" if n.explanation is None else "all"
        judges = n.grade is not None
        detectors = Detectors(options, len(n.columns), explain, n.columns, judges)
        each = Layout(n.number_of_trees, n.sub_sample_size, len(n.columns), n.shingle_size)
        model_bytes = each.model_bytes + key_bytes(len(n.columns))
        return detectors, (self.context.settings.forest_memory_mib << 20) // model_bytes

    def _report(self, points: ScorePoints) -> None:
        """Keep the points for the listener until the commit, and over a crash after it."""
        self._unreported = points
        if self._durable:
            db = self.context.db
            db.run(f"DELETE FROM {self._unreported_table}")
            db.run(
                f"INSERT INTO {self._unreported_table} BY NAME SELECT * FROM b", b=points.table()
            )


def _spread_texts(texts: list[str | None], whole: Bools) -> pa.Array:
    """Texts of the rows that could be judged; NULL for the others."""
    out: npt.NDArray[Any] = np.full(len(whole), None, dtype=object)
    out[whole] = texts
    return pa.array(out, pa.string())


def _texts(texts: list[str | None]) -> tuple[str, ...]:
    return tuple(text or "" for text in texts)


def _filled_rows(rows: pa.Table, whole: Bools) -> pa.Array:
    """Which rows are those of windows without rows."""
    if FILLED not in rows.column_names:
        return pa.array(np.zeros(len(whole), np.bool_))
    return rows[FILLED].combine_chunks()


def _spread(values: Doubles, whole: Bools) -> Doubles:
    """Values of the rows that could be scored; 0 for the others."""
    out = np.zeros(len(whole))
    out[whole] = values
    return out
