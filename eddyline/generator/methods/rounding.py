"""Numbers as texts, rounded to multiples of a step, with always the same places after the point."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.generator.column import Uniforms, decimals, join, padded

NUMBER_WIDTH = 40


def rounded(values: Uniforms, step: float) -> Any:
    """Values as a StringArray; ``step`` 0.1 writes one digit after the point."""
    places = decimals(step)
    units = np.rint(values / step).astype(np.int64) * round(step * 10**places)
    whole, part = np.divmod(np.abs(units), 10**places)
    sign = pa.array(np.where(units < 0, "-", ""))
    texts = pa.array(whole).cast(pa.string())
    if not places:
        return join(len(values), [sign, texts])
    return join(len(values), [sign, texts, ".", padded(part, places)])
