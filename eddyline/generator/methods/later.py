"""Names of later versions of faker that templates on the web use: datatype, git, database …"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from eddyline.generator.arguments import Arguments
from eddyline.generator.column import (
    At,
    Chars,
    Either,
    GeneratedColumn,
    Joined,
    Pick,
    Texts,
    Uniforms,
)
from eddyline.generator.methods import business, chance, date, lists
from eddyline.generator.methods.chance import UUID, Uuid
from eddyline.generator.methods.method import Method, constant
from eddyline.generator.methods.word import ALPHANUMERIC, HEX, built, quoted, record


@dataclass(frozen=True, slots=True)
class EpochNear:
    """Epoch milliseconds within a day before now."""

    span_ms: int = 86_400_000
    slots: int = 1
    width: int = 20

    def build(self, u: Uniforms, at: At) -> Texts:
        ms = at.sim_ms - (u[:, 0] * self.span_ms).astype(np.int64)
        return pa.array(ms).cast(pa.string())


def text(args: Arguments) -> GeneratedColumn:
    return Chars(ALPHANUMERIC, args.whole(args.named("length"), "length", 10, 0))


def values(args: Arguments) -> GeneratedColumn:
    """A JSON list of numbers and texts."""
    count = args.whole(args.named("length"), "length", 10, 0, 1000)
    parts: list[GeneratedColumn | str] = []
    for k in range(count):
        parts += ["," if k else "", chance.number(Arguments("", ())) if k % 2 else quoted(word())]
    return Joined("[", *parts, "]")


def word() -> GeneratedColumn:
    return Pick(lists.english("noun"))


def json_object() -> GeneratedColumn:
    fields: dict[str, GeneratedColumn | str] = {
        k: quoted(word()) if k in ("foo", "bar", "a") else chance.number(Arguments("", ()))
        for k in ("foo", "bar", "bike", "a", "b", "name", "prop")
    }
    return record(fields)


def branch() -> GeneratedColumn:
    return Joined(Pick(business.verbs()), "-", word())


def message() -> GeneratedColumn:
    verb, adjective, noun = business.verbs(), business.adjectives(), business.nouns()
    return Joined(Pick(verb), " ", Pick(adjective), " ", Pick(noun))


def moment_of_day(args: Arguments) -> GeneratedColumn:
    return EpochNear()


_NUMBER = r"-?\d+(\.\d+)?"

METHODS = (
    Method("datatype.number", "(max) or ({min,max,precision})", "As random.number.",
           chance.number, "datatype.number(9)", _NUMBER),
    Method("datatype.float", "(max) or ({min,max,precision})", "As random.float.", chance.real,
           "datatype.float(9)", _NUMBER),
    Method("datatype.boolean", "", "true or false.", constant(Pick(["true", "false"])),
           "datatype.boolean", "true|false"),
    Method("datatype.uuid", "", "A version 4 UUID.", constant(Uuid()), "datatype.uuid", UUID),
    Method("datatype.string", "(length)", "Letters and digits, ten by default.", text,
           "datatype.string(12)", "[0-9a-z]{12}"),
    Method("datatype.hexaDecimal", "(count)", "As random.hexaDecimal.", chance.hexadecimal,
           "datatype.hexaDecimal(4)", "0x[0-9a-f]{4}"),
    Method("datatype.datetime", "", "Within a year of now.",
           constant(Either(date.Near(-date.YEAR_MS, 0), date.Near(0, date.YEAR_MS))),
           "datatype.datetime", date.JS_SHAPE),
    Method("datatype.array", "(length)", "A list of numbers and words, as JSON.", values,
           "datatype.array(3)", r"\[.+,\d+,.+\]"),
    Method("datatype.json", "", "An object of numbers and words, as JSON.", built(json_object),
           "datatype.json", r'\{"foo":.+\}'),
    Method("time.recent", "", "Epoch milliseconds within the last day.", moment_of_day,
           "time.recent", r"\d{13}"),
    Method("git.branch", "", "A branch's name.", built(branch), "git.branch", "[a-z]+-[a-z]+"),
    Method("git.commitSha", "", "40 hexadecimal digits.", constant(Chars(HEX, 40)),
           "git.commitSha", "[0-9a-f]{40}"),
    Method("git.shortSha", "", "Seven hexadecimal digits.", constant(Chars(HEX, 7)),
           "git.shortSha", "[0-9a-f]{7}"),
    Method("git.commitMessage", "", "What a commit says.", built(message), "git.commitMessage",
           r"[\w/'’ -]+"),
    Method("database.mongodbObjectId", "", "24 hexadecimal digits.", constant(Chars(HEX, 24)),
           "database.mongodbObjectId", "[0-9a-f]{24}"),
)  # fmt: skip
