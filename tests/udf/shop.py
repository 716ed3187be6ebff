"""Functions as a user's module has them; imported by the functions' process, never by a test."""

from __future__ import annotations

import datetime
import os
from decimal import Decimal

from pyflink.common import Row
from pyflink.table import DataTypes
from pyflink.table.udf import AggregateFunction, ScalarFunction, TableFunction, udaf, udf, udtf


@udf(result_type=DataTypes.DOUBLE())
def price(text):
    if text is None:
        return None
    return float(text.strip("€ "))


@udf(result_type=DataTypes.BIGINT(), func_type="pandas")
def twice(x):
    return x * 2


class HashCode(ScalarFunction):
    def __init__(self):
        self.factor = 12

    def open(self, context):
        self.opened = int(context.get_job_parameter("opened", "1"))

    def eval(self, s):
        return len(s) * self.factor + self.opened


hash_code = udf(HashCode(), input_types=[DataTypes.STRING()], result_type=DataTypes.BIGINT())
adds = udf(lambda i, j: i + j, [DataTypes.BIGINT(), DataTypes.BIGINT()], DataTypes.BIGINT())


@udf(result_type="ROW<page STRING, ms INT>")
def parsed(line):
    page, _, ms = line.partition(" ")
    return Row(page, int(ms))


@udf(result_type=DataTypes.ARRAY(DataTypes.STRING()))
def parts(path):
    return [p for p in path.split("/") if p]


@udf(result_type=DataTypes.MAP(DataTypes.STRING(), DataTypes.INT()))
def counts(text):
    return {c: text.count(c) for c in sorted(set(text))}


@udf(result_type=DataTypes.DECIMAL(10, 2))
def net(amount):
    return amount / Decimal("1.19")


@udf(result_type=DataTypes.TIMESTAMP(3))
def next_day(t):
    return t + datetime.timedelta(days=1)


@udf(result_type="INT")
def field_of(row):
    return row.a + row["b"] + row[0]


@udf(result_type="STRING")
def kinds(i, d, s, b, t, day, a, m, n):
    return " ".join(type(v).__name__ for v in (i, d, s, b, t, day, a, m, n))


@udtf(result_types=[DataTypes.STRING(), DataTypes.INT()])
def words(text):
    for word in text.split():
        yield word, len(word)


class Split(TableFunction):
    def eval(self, text):
        return text.split(",")


split = udtf(Split(), result_types=DataTypes.STRING())


class WeightedAverage(AggregateFunction):
    def create_accumulator(self):
        return [0, 0]

    def accumulate(self, accumulator, value, weight):
        if value is not None:
            accumulator[0] += value * weight
            accumulator[1] += weight

    def get_value(self, accumulator):
        return accumulator[0] / accumulator[1] if accumulator[1] else None

    def get_result_type(self):
        return DataTypes.DOUBLE()

    def get_accumulator_type(self):
        return DataTypes.ARRAY(DataTypes.BIGINT())


weighted = udaf(WeightedAverage())


@udaf(result_type=DataTypes.DOUBLE(), func_type="pandas")
def median(x):
    return x.median()


@udf(result_type="BIGINT")
def forever(x):
    while x:
        pass


@udf(result_type="BIGINT")
def dies(x):
    os._exit(3)


@udf(result_type="BIGINT")
def greedy(x):
    return len(bytearray(10**11))


@udf(result_type="INT")
def mistyped(x):
    return "abc" if x == 3 else x


@udf(result_type="INT", func_type="pandas")
def shorter(x):
    return x[1:]


def undecorated(x):
    return x
