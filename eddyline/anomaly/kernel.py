"""How a function becomes machine code: compiled once, cached on disk, free of the interpreter lock.

Without fast-math, so that a score has the same bits on every processor and at any batch cut.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

# A tuple of zeros: its length is a constant to the compiler, which unrolls loops over it.
Group = tuple[int, ...]

# Let the compiler join four sums side by side into one instruction; numba's default is not to.
_config: Any = numba.config
_config.SLP_VECTORIZE = 1

F = TypeVar("F", bound=Callable[..., Any])

Doubles = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]
Int16s = npt.NDArray[np.int16]
Bools = npt.NDArray[np.bool_]


def kernel(function: F) -> F:
    """Compile on first call; later processes read the machine code from ``__pycache__``."""
    compiled: Any = numba.njit(cache=True, error_model="numpy", nogil=True)(function)
    return cast(F, compiled)
