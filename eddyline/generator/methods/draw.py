"""Sequences and numbers of other distributions: ``sequence``, ``random.normal`` and others."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from eddyline.generator.arguments import Arguments, text_of
from eddyline.generator.column import At, GeneratedColumn, Pick, Texts, Uniforms
from eddyline.generator.methods.method import Method
from eddyline.generator.methods.rounding import NUMBER_WIDTH, rounded

ZIPF_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Sequence:
    """``start``, ``start + step`` … from record to record, and again after ``count`` numbers."""

    start: int
    step: int
    count: int | None
    width: int = 20
    slots: int = 0

    def build(self, u: Uniforms, at: At) -> Texts:
        rows = np.arange(at.first, at.first + at.n, dtype=np.int64)
        if self.count is not None:
            rows %= self.count
        return pa.array(self.start + rows * self.step).cast(pa.string())


@dataclass(frozen=True, slots=True)
class Rounded:
    """Numbers of a distribution, kept within bounds, rounded to multiples of a step."""

    draw: Callable[[Uniforms], Uniforms]
    slots: int
    low: float
    high: float
    step: float
    width: int = NUMBER_WIDTH

    def build(self, u: Uniforms, at: At) -> Texts:
        return rounded(np.clip(self.draw(u), self.low, self.high), self.step)


def sequence(args: Arguments) -> GeneratedColumn:
    given = args.named("start", "step", "end")
    start = args.whole(given, "start", 1, -(2**53), 2**53)
    step = args.whole(given, "step", 1, -(2**31), 2**31)
    if "end" not in given:
        return Sequence(start, step, None)
    end = args.whole(given, "end", 0, -(2**53), 2**53)
    if step == 0 or (end - start) // step < 0:
        args.fail(f"the steps of {step} do not lead from start {start} to end {end}")
    return Sequence(start, step, (end - start) // step + 1)


def _bounded(args: Arguments, given: dict[str, object], draw: Callable[[Uniforms], Uniforms],
             slots: int, step: float) -> GeneratedColumn:  # fmt: skip
    unit = args.number(given, "precision", step, 1e-6, 1e9)
    low = args.number(given, "min", -1e12, -1e12, 1e12)
    high = args.number(given, "max", 1e12, -1e12, 1e12)
    if high < low:
        args.fail(f"max {high:g} is below min {low:g}")
    return Rounded(draw, slots, low, high, unit)


def normal(args: Arguments) -> GeneratedColumn:
    given = args.named("mean", "deviation", "precision", "min", "max")
    mean = args.number(given, "mean", 0, -1e12, 1e12)
    deviation = args.number(given, "deviation", 1, 0, 1e12)

    def draw(u: Uniforms) -> Uniforms:  # Box and Muller
        radius = np.sqrt(-2 * np.log1p(-u[:, 0]))
        turned: Uniforms = mean + deviation * radius * np.cos(2 * math.pi * u[:, 1])
        return turned

    return _bounded(args, given, draw, 2, 0.01)


def exponential(args: Arguments) -> GeneratedColumn:
    given = args.named("mean", "precision", "min", "max")
    mean = args.number(given, "mean", 1, 0, 1e10)
    return _bounded(args, given, lambda u: -mean * np.log1p(-u[:, 0]), 1, 0.01)


def log_normal(args: Arguments) -> GeneratedColumn:
    given = args.named("median", "sigma", "precision", "min", "max")
    median = args.number(given, "median", 1, 1e-9, 1e9)
    sigma = args.number(given, "sigma", 1, 0, 10)

    def draw(u: Uniforms) -> Uniforms:
        radius = np.sqrt(-2 * np.log1p(-u[:, 0]))
        turned: Uniforms = median * np.exp(sigma * radius * np.cos(2 * math.pi * u[:, 1]))
        return turned

    return _bounded(args, given, draw, 2, 0.01)


def zipf(args: Arguments) -> GeneratedColumn:
    """Rank k has weight 1 / k^exponent; of a list, the first element is the commonest."""
    given = args.named("max", "exponent", "data")
    exponent = args.number(given, "exponent", 1, 0, 20)
    if "data" in given:
        texts = [text_of(v) for v in args.items(given["data"], "data", [])]
    else:
        count = args.whole(given, "max", 100, 1, ZIPF_MAX)
        texts = [str(k) for k in range(1, count + 1)]
    weights = np.arange(1, len(texts) + 1, dtype=np.float64) ** -float(exponent)
    return Pick(texts, weights.tolist())


METHODS = (
    Method("sequence.next", "({start,step,end})",
           "A number that grows from record to record; starts over after end.", sequence,
           'sequence.next({"start":1,"step":1})', r"-?\d+"),
    Method("random.normal", "({mean,deviation,precision,min,max})",
           "A number of a normal distribution.", normal,
           'random.normal({"mean":20,"deviation":2,"precision":0.1})', r"-?\d+\.\d"),
    Method("random.exponential", "({mean,precision,min,max})",
           "A number of an exponential distribution.", exponential,
           'random.exponential({"mean":200,"precision":1})', r"\d+"),
    Method("random.logNormal", "({median,sigma,precision,min,max})",
           "A number whose logarithm is normal: waiting times, sizes.", log_normal,
           'random.logNormal({"median":120,"sigma":0.5,"precision":1})', r"\d+"),
    Method("random.zipf", "({max,exponent}) or ({data,exponent})",
           "A rank, or an element of the list, the first the commonest.", zipf,
           'random.zipf({"max":1000,"exponent":1.2})', r"\d+"),
)  # fmt: skip
