"""How a function becomes machine code: compiled once, cached on disk, free of the interpreter lock.

Without fast-math, so that a score has the same bits on every processor and at any batch cut.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

F = TypeVar("F", bound=Callable[..., Any])

Doubles = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]
Int16s = npt.NDArray[np.int16]
Bools = npt.NDArray[np.bool_]
# A tuple of zeros: its length is a constant to the compiler, which unrolls loops over it.
Group = tuple[int, ...]

# Let the compiler join four sums side by side into one instruction; numba's default is not to.
_config: Any = numba.config
_config.SLP_VECTORIZE = 1


def _cache_dir() -> str:
    """Where machine code rests: a folder for this very state of the kernels' sources.

    numba compares a function's own file only and would link an old callee in another file.
    """
    home = Path(__file__).parent
    digest = hashlib.sha256()
    for source in sorted(home.rglob("*.py")):
        digest.update(source.read_bytes())
    base = _config.CACHE_DIR or str(home / "__pycache__")
    return str(Path(base) / f"kernels-{digest.hexdigest()[:16]}")


_CACHE_DIR = _cache_dir()


def kernel(function: F) -> F:
    """Compile on first call; later processes read the machine code from the cache."""
    before, _config.CACHE_DIR = _config.CACHE_DIR, _CACHE_DIR
    try:
        compiled: Any = numba.njit(cache=True, error_model="numpy", nogil=True)(function)
    finally:
        _config.CACHE_DIR = before
    return cast(F, compiled)
