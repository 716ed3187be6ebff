"""How the detectors' arithmetic becomes machine code: from shipped LLVM code, or by numba.

The package ships the kernels as LLVM code that ``eddyline.anomaly.ahead`` made (``make kernels``),
so that nobody waits for numba, which would compile for a minute or more. If the shipped code was
made from other sources, or cannot be used on this machine, numba compiles the same functions when
they are first called, and keeps the result on disk.

Both are compiled without fast-math, so that a score has the same bits on every processor and
wherever a batch is cut.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from eddyline.anomaly.machine_code import BoundArguments, MachineCode, shipped

F = TypeVar("F", bound=Callable[..., Any])

Doubles = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]
Int16s = npt.NDArray[np.int16]
Bools = npt.NDArray[np.bool_]
# A tuple of zeros: its length is a constant to the compiler, which unrolls loops over it.
Group = tuple[int, ...]

_MARK = re.compile(r"^@(kernel|entry)$", re.MULTILINE)
# Modules without a kernel whose constants are compiled into kernels.
_CONSTANTS = ("places.py", "key.py")
_LAYOUT = [
    (re.compile(r'"""(?:.|\n)*?"""'), ""),
    (re.compile(r"#.*"), ""),
    (re.compile(r"\s+"), ""),
    (re.compile(r",([)\]])"), r"\1"),
]
# Any value makes numba compile the sources even if shipped code fits them.
COMPILE = "EDDYLINE_COMPILE_KERNELS"


def digest() -> str:
    """A digest of the sources that kernels are made from, without comments and layout."""
    home = Path(__file__).parent
    out = hashlib.sha256()
    for source in sorted(home.rglob("*.py")):
        text = source.read_text("utf-8")
        if _MARK.search(text) or source.name in _CONSTANTS:
            for pattern, instead in _LAYOUT:
                text = pattern.sub(instead, text)
            out.update(text.encode())
    return out.hexdigest()[:16]


def _cache_dir(sources: str) -> str:
    """Where compiled code is kept: beside the sources or, if they cannot be written, with the user.

    One folder per state of the sources: numba compares a function's own file only, and would link
    an old callee of another file.
    """
    name = f"kernels-{sources}"
    if given := os.environ.get("NUMBA_CACHE_DIR"):
        return str(Path(given) / name)
    beside = Path(__file__).parent / "__pycache__"
    try:
        beside.mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=beside):
            return str(beside / name)
    except OSError:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return str(Path(base) / "eddyline" / name)


_SOURCES = digest()
_CACHE_DIR = _cache_dir(_SOURCES)
MACHINE_CODE: MachineCode | None = None
if not os.environ.get(COMPILE):
    MACHINE_CODE = shipped(_SOURCES, Path(_CACHE_DIR))


def kernel(function: F) -> F:
    """A function that only other kernels call: part of what its callers are compiled to."""
    return function if MACHINE_CODE is not None else _compiled(function, inner=True)


def entry(function: F) -> F:
    """A kernel that is called from Python: shipped code, or numba's."""
    if MACHINE_CODE is not None:
        return cast(F, MACHINE_CODE.function(function.__name__))
    return _compiled(function, inner=False)


def bound(*given: Any) -> tuple[Any, ...]:
    """Arguments that many calls of an entry share, to be handed to it as ``*bound(…)``."""
    return given if MACHINE_CODE is None else (BoundArguments(*given),)


def _compiled(function: F, *, inner: bool) -> F:
    """Compiled by numba on the first call; later processes read the machine code from the cache.

    inner: not callable from Python, which saves a third of the time.
    """
    import numba

    config: Any = numba.config
    # Let the compiler join four sums side by side into one instruction; numba's default is not to.
    config.SLP_VECTORIZE = 1
    before, config.CACHE_DIR = config.CACHE_DIR, _CACHE_DIR
    try:
        options: dict[str, Any] = {"error_model": "numpy", "nogil": True, "cache": not inner}
        if inner:
            options |= {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
        return cast(F, numba.njit(**options)(function))
    finally:
        config.CACHE_DIR = before
