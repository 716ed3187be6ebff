"""How a function becomes machine code: compiled once, cached on disk, free of the interpreter lock.

Without fast-math, so that a score has the same bits on every processor and at any batch cut.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

F = TypeVar("F", bound=Callable[..., Any])

Doubles = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Int64s = npt.NDArray[np.int64]
Int16s = npt.NDArray[np.int16]
Bools = npt.NDArray[np.bool_]
# A tuple of W zeros: its length is a constant to the compiler, which unrolls loops over it.
Width = tuple[int, ...]


def kernel(function: F) -> F:
    """Compile on first call; later processes read the machine code from ``__pycache__``."""
    compiled: Any = numba.njit(cache=True, error_model="numpy", nogil=True)(function)
    return cast(F, compiled)


def inlined(function: F) -> F:
    """A kernel small enough to be pasted into its callers."""
    compiled: Any = numba.njit(cache=True, error_model="numpy", nogil=True, inline="always")(
        function
    )
    return cast(F, compiled)
