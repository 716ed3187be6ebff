"""All models of one key as bytes, and back, so that keys which are not in use can rest on disk.

Little-endian: six counts as u32 (see ``_HEAD``), then one zstd frame with the arrays one after the
other: the columns' models, the units, and the parts of the forest that ``compact`` keeps. Shapes
follow from the options and the counts. A key goes on from its bytes bit for bit.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from eddyline.anomaly.compact import _block_arrays, _fill_block
from eddyline.anomaly.forest import Block, ForestBank
from eddyline.anomaly.layout import ROWS, Layout
from eddyline.anomaly.state import Arrays
from eddyline.anomaly.tree import HEAD
from eddyline.anomaly.units import WINDOW, Units
from eddyline.anomaly.verdicts import Judges
from eddyline.errors import EddylineError

# Bytes once unpacked, whether there are units and a forest, the samples of its trees, the rows that
# leaves refer to, and used leaves.
_HEAD = struct.Struct("<6I")
_LEVEL = 1
Shapes = list[tuple[str, str, tuple[int, ...]]]


def pack(model: int, judges: Judges, units: Units | None, forests: ForestBank) -> bytes:
    """The models of the key with this number."""
    judged = {"heads": judges.heads[model], "tails": judges.tails[model]}
    arrays: Arrays = dict(judged)
    if units is not None:
        named = ("scale", "rows", "first")
        arrays |= {f"units.{n}": np.atleast_1d(getattr(units, n)[model]) for n in named}
    block = _block(forests, model)
    samples = rows = leaves = 0
    grown = block is not None and bool(block.seen[0])
    if block is not None and grown:
        forest = _block_arrays(forests.layout, block)
        samples, rows = forest["mass"].shape[2], len(forest["rows"])
        leaves = len(forest["which"])
        arrays |= {
            name: forest[name].astype(kind)
            for name, kind, _ in _forest_shapes(forests.layout, samples, rows, leaves)
        }
    raw = b"".join(np.ascontiguousarray(a).tobytes() for a in arrays.values())
    counts = (len(raw), units is not None, grown, samples, rows, leaves)
    frame: bytes = pa.Codec("zstd", _LEVEL).compress(raw, asbytes=True)
    return _HEAD.pack(*counts) + frame


def unpack(
    packed: bytes, model: int, judges: Judges, units: Units | None, forests: ForestBank
) -> None:
    """Give the key with this number, whose models hold nothing yet, what ``pack`` gave.

    Raises:
        EddylineError: ``corrupt_data`` if the bytes are not those of such a key.
    """
    size, has_units, grown, *counts = _HEAD.unpack_from(packed)
    raw = pa.Codec("zstd").decompress(packed[_HEAD.size :], decompressed_size=size, asbytes=True)
    shapes: Shapes = [
        ("heads", "<f8", judges.heads.shape[1:]), ("tails", "<f4", judges.tails.shape[1:]),
    ]  # fmt: skip
    if has_units and units is not None:
        columns = units.scale.shape[1]
        shapes += [
            ("units.scale", "<f8", (columns,)), ("units.rows", "<i8", (1,)),
            ("units.first", "<f8", (columns, WINDOW)),
        ]  # fmt: skip
    own = len(shapes)
    if grown:
        shapes += _forest_shapes(forests.layout, *counts)
    if bool(has_units) != (units is not None) or size != sum(map(_bytes_of, shapes)):
        message = "the stored models of a key do not fit the detector's options"
        hint = "start the job afresh; its streams are not touched"
        raise EddylineError("corrupt_data", message, hint=hint)
    arrays = [array for _, array in _arrays(raw, shapes)]
    judges.heads[model], judges.tails[model] = arrays[0], arrays[1]
    if units is not None:
        units.scale[model], units.first[model] = arrays[2], arrays[4]
        units.rows[model : model + 1] = arrays[3]
    if grown:
        forests.make_room(model + 1)
        block = _block(forests, model)
        assert block is not None
        names = [name for name, _, _ in shapes[own:]]
        _fill_block(forests.layout, block, dict(zip(names, arrays[own:], strict=True)))


def _block(forests: ForestBank, model: int) -> Block | None:
    """The forest of one key, as a block of its own that shares the memory; None without one."""
    per = forests.layout.block_models
    if model // per >= len(forests.blocks):
        return None
    at = model % per
    b = forests.blocks[model // per]
    one = slice(at, at + 1)
    return Block(
        b.singles[one], b.shorts[one], b.longs[one], b.seen[one], b.origin[one], b.recent[one]
    )


def _forest_shapes(lay: Layout, samples: int, rows: int, leaves: int) -> Shapes:
    """Name, type and shape of each array of ``compact`` for one key."""
    t, inner = lay.trees, max(samples - 1, 0)
    which = "<u2" if rows <= 2**16 else "<u4"
    return [
        ("cut", "<f4", (1, t, inner)), ("weight", "<f4", (1, t, samples)),
        ("split", "<i2", (1, t, inner)), ("child", "<i2", (1, t, 2 * inner)),
        ("free_leaf", "<i2", (1, t, samples)), ("free_node", "<i2", (1, t, inner)),
        ("mass", "<i2", (1, t, samples)), ("sample", "<i2", (1, t, samples)),
        ("head", "<i2", (1, t, HEAD)), ("tree", "<i8", (1, t, ROWS)),
        ("seen", "<i8", (1,)), ("origin", "<f8", (1, lay.columns)),
        ("recent", "<f4", (1, lay.shingle, lay.columns)),
        ("rows", "<i8", (rows,)), ("table", "<f4", (rows, lay.columns)),
        ("which", which, (leaves,)),
    ]  # fmt: skip


def _bytes_of(shape: tuple[str, str, tuple[int, ...]]) -> int:
    return np.dtype(shape[1]).itemsize * math.prod(shape[2])


def _arrays(raw: bytes, shapes: Shapes) -> Iterator[tuple[str, npt.NDArray[np.generic]]]:
    at = 0
    for name, kind, shape in shapes:
        size = math.prod(shape)
        yield name, np.frombuffer(raw, kind, size, at).reshape(shape)
        at += size * np.dtype(kind).itemsize
