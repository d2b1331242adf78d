"""The words of a `tick` or `process` beyond Python's own operators.

Here they have their meaning in plain Python, so that a `tick` can be run and tested sample by sample without any
compiler. The kernel compiler gives them the same meaning in native code, one lane or sixteen. From `math` a kernel may
use floor, sqrt, exp, log, sin, cos, tan, tanh, pow, copysign, fabs and the constants.
"""

from __future__ import annotations

import math
import struct
from typing import Any

TWO_32 = 4_294_967_296


def f32(x: Any) -> float:
    """`x` rounded to float32."""
    return float(struct.unpack("<f", struct.pack("<f", float(x)))[0])


def f64(x: Any) -> float:
    """`x` in double precision."""
    return float(x)


def u32(x: Any) -> int:
    """The integer part of `x`, wrapped to 32 bits."""
    return int(x) % TWO_32


def i64(x: Any) -> int:
    """The integer part of `x`, towards zero."""
    return int(x)


def signed(x: int) -> int:
    """A u32 read as a signed number: -2^31 to 2^31 - 1."""
    x %= TWO_32
    return x - TWO_32 if x >= TWO_32 // 2 else x


def fma(a: float, b: float, c: float) -> float:
    """``a * b + c`` with one rounding where the processor has it. The compiler makes it of ``a * b + c`` by itself."""
    return a * b + c


def vector(x: float, lanes: int) -> Any:
    """`x`, as often as said: what pieces of arrays, ``a[i : i + 16]``, are added up in (in `process` only)."""
    import numpy as np

    return np.full(lanes, x, np.float32)


def beside(*vectors: Any) -> Any:
    """Short vectors as one long one, the first in front (in `process` only)."""
    import numpy as np

    return np.concatenate(vectors)


def swap_places(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Four vectors of sixteen, seen as (vector, quad, place): vector and place exchanged (in `process` only)."""
    import numpy as np

    return tuple(np.stack([a, b, c, d]).reshape(4, 4, 4).transpose(2, 1, 0).reshape(4, 16))


def swap_quads(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Four vectors of sixteen, seen as (vector, quad, place): vector and quad exchanged (in `process` only)."""
    import numpy as np

    return tuple(np.stack([a, b, c, d]).reshape(4, 4, 4).transpose(1, 0, 2).reshape(4, 16))


def where(condition: Any, a: Any, b: Any) -> Any:
    """`a` where the condition holds, else `b`; both are computed."""
    return a if condition else b


def rarely(condition: Any) -> Any:
    """The condition itself. In ``if rarely(…):`` sixteen lanes skip the body while it holds in none of them."""
    return condition


def still(control: Any) -> bool:
    """Whether a control inlet has one value throughout the block (in `process` only)."""
    return all(value == control[0] for value in control)


def sin_pi(x: float) -> float:
    """sin(pi x) for x in [-1, 1]; error below 1e-7."""
    return math.sin(math.pi * x)


def cos_pi(x: float) -> float:
    """cos(pi x) for x in [-1, 1]; error below 1e-7."""
    return math.cos(math.pi * x)


def tan_pi(x: float) -> float:
    """tan(pi x) for x in [0, 0.499]."""
    return math.tan(math.pi * min(x, 0.499))


def exp2(x: float) -> float:
    """2 to the power of x, x in [-126, 127]."""
    return float(2.0**x)


def bits_of(x: float) -> int:
    """The 32 bits of a float32."""
    return int(struct.unpack("<I", struct.pack("<f", x))[0])


def from_bits(x: int) -> float:
    """The float32 with these 32 bits."""
    return float(struct.unpack("<f", struct.pack("<I", x % TWO_32))[0])


def rows(array: Any) -> int:
    """The rows (channels) of a two-dimensional port or array; its length is ``len(array)``."""
    return int(array.shape[0])
