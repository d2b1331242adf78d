"""Fourier transforms in the kernel language, for sizes 64, 256, 1024, 4096 and 16384, and the tables that they read.

A transform of `size` complex numbers stands in an array as `size` real parts, then `size` imaginary parts. It is taken
in place, four numbers at a time (radix 4), sixteen such fours side by side, and leaves the spectrum in the order
`order`: who multiplies two spectra and goes back need not sort them. All steps go through units of 64 numbers that are
independent of each other, so a long transform can be taken a few units at a time.

Source: W. M. Gentleman, G. Sande, "Fast Fourier Transforms - for fun and profit", AFIPS, 1966 (decimation in
frequency).
"""

from typing import Any

import numpy as np

from nodegraph.core.arithmetic import swap_places, swap_quads

UNIT = 64
SIZES = (64, 256, 1_024, 4_096, 16_384)
INSIDE = 96  # the first factors of the table are those of the passes over fours that lie 4 apart


def fours(size: int) -> int:
    """The base-4 logarithm of a size."""
    return (size.bit_length() - 1) // 2


def table(size: int) -> Any:
    """The factors of all transforms up to this size, float32."""
    lanes = np.arange(16)
    parts = [_factors(lanes % 4, 16)]
    quarter = 16
    while 4 * quarter <= size:
        parts.append(_factors(np.arange(quarter), 4 * quarter))
        quarter *= 4
    return np.concatenate(parts).astype(np.float32)


def _factors(places: Any, size: int) -> Any:
    """Real and imaginary parts of w^j, w^2j and w^3j, w = exp(-2 pi i / size)."""
    found = [np.exp(-2j * np.pi * k * places / size) for k in (1, 2, 3)]
    return np.concatenate([part for one in found for part in (one.real, one.imag)])


def order(size: int) -> Any:
    """Which frequency stands at each place of a spectrum."""
    places = np.arange(size)
    unit, vector, lane = places // UNIT, places // 16 % 4, places % 16
    # the last four digits, at (vector; lane // 4, lane % 4), belong to the last, first and second of three passes
    found = (lane // 4) + 4 * (lane % 4) + 16 * vector
    outer = fours(size) - 3
    low = np.zeros(size, int)
    for digit in range(outer):  # the first pass's digit stands highest in the place and lowest in the frequency
        low += (unit // 4 ** (outer - 1 - digit) % 4) * 4**digit
    return low + found * 4**outer


def parted(ar, ai, br, bi, cr, ci, dr, di):
    """A transform of four numbers; the results belong to the frequencies 0, 1, 2, 3."""
    er, ei, fr, fi = ar + cr, ai + ci, ar - cr, ai - ci
    gr, gi, hr, hi = br + dr, bi + di, br - dr, bi - di
    return er + gr, ei + gi, fr + hi, fi - hr, er - gr, ei - gi, fr - hi, fi + hr


def joined(ar, ai, br, bi, cr, ci, dr, di):
    """The way back: four times what `parted` was given."""
    er, ei, fr, fi = ar + cr, ai + ci, ar - cr, ai - ci
    gr, gi, hr, hi = br + dr, bi + di, br - dr, bi - di
    return er + gr, ei + gi, fr - hi, fi + hr, er - gr, ei - gi, fr + hi, fi - hr


def turned(ar, ai, wr, wi):
    """a w"""
    return ar * wr - ai * wi, ar * wi + ai * wr


def turned_back(ar, ai, wr, wi):
    """a times the conjugate of w"""
    return ar * wr + ai * wi, ai * wr - ar * wi


def four(array, r, i, apart):
    """Four vectors that lie `apart`, real parts from `r` on, imaginary ones from `i` on."""
    b, c, d = apart, 2 * apart, 3 * apart
    return (
        array[r : r + 16], array[i : i + 16], array[r + b : r + b + 16], array[i + b : i + b + 16],
        array[r + c : r + c + 16], array[i + c : i + c + 16], array[r + d : r + d + 16], array[i + d : i + d + 16],
    )  # fmt: skip


def put_four(array, r, i, apart, ar, ai, br, bi, cr, ci, dr, di):
    """Where `four` finds them."""
    b, c, d = apart, 2 * apart, 3 * apart
    array[r : r + 16] = ar
    array[i : i + 16] = ai
    array[r + b : r + b + 16] = br
    array[i + b : i + b + 16] = bi
    array[r + c : r + c + 16] = cr
    array[i + c : i + c + 16] = ci
    array[r + d : r + d + 16] = dr
    array[i + d : i + d + 16] = di


def three_turned(factors, t, apart, br, bi, cr, ci, dr, di):
    """Turned by the factors from `t` on."""
    xr, xi, yr, yi = factors[t : t + 16], factors[t + apart : t + apart + 16], t + 2 * apart, t + 3 * apart
    br, bi = turned(br, bi, xr, xi)
    cr, ci = turned(cr, ci, factors[yr : yr + 16], factors[yi : yi + 16])
    zr, zi = t + 4 * apart, t + 5 * apart
    dr, di = turned(dr, di, factors[zr : zr + 16], factors[zi : zi + 16])
    return br, bi, cr, ci, dr, di


def three_turned_back(factors, t, apart, br, bi, cr, ci, dr, di):
    """Turned by the conjugates."""
    xr, xi, yr, yi = factors[t : t + 16], factors[t + apart : t + apart + 16], t + 2 * apart, t + 3 * apart
    br, bi = turned_back(br, bi, xr, xi)
    cr, ci = turned_back(cr, ci, factors[yr : yr + 16], factors[yi : yi + 16])
    zr, zi = t + 4 * apart, t + 5 * apart
    dr, di = turned_back(dr, di, factors[zr : zr + 16], factors[zi : zi + 16])
    return br, bi, cr, ci, dr, di


def place_of(unit, quarter):
    """Where a unit of the pass over fours that lie `quarter` apart begins: in the array, and in its quarter."""
    j = (unit & ((quarter >> 4) - 1)) << 4
    return ((unit - (j >> 4)) << 6) + j, j


def forward_pass(work, at, size, quarter, factors, first, last):
    """Units `first` to `last` of the pass over fours that lie `quarter` apart, at least 64."""
    for unit in range(first, last):
        place, j = place_of(unit, quarter)
        r = at + place
        ar, ai, br, bi, cr, ci, dr, di = four(work, r, r + size, quarter)
        ar, ai, br, bi, cr, ci, dr, di = parted(ar, ai, br, bi, cr, ci, dr, di)
        br, bi, cr, ci, dr, di = three_turned(factors, table_of(quarter) + j, quarter, br, bi, cr, ci, dr, di)
        put_four(work, r, r + size, quarter, ar, ai, br, bi, cr, ci, dr, di)


def backward_pass(work, at, size, quarter, factors, first, last):
    """The way back through `forward_pass`."""
    for unit in range(first, last):
        place, j = place_of(unit, quarter)
        r = at + place
        ar, ai, br, bi, cr, ci, dr, di = four(work, r, r + size, quarter)
        br, bi, cr, ci, dr, di = three_turned_back(factors, table_of(quarter) + j, quarter, br, bi, cr, ci, dr, di)
        ar, ai, br, bi, cr, ci, dr, di = joined(ar, ai, br, bi, cr, ci, dr, di)
        put_four(work, r, r + size, quarter, ar, ai, br, bi, cr, ci, dr, di)


def table_of(quarter):
    """Where the factors of a pass begin."""
    return INSIDE + 2 * (quarter - 16)


def forward_unit(factors, ar, ai, br, bi, cr, ci, dr, di):
    """The last three passes, inside 64 numbers: sixteen apart, four apart, neighbours. Gives the spectrum."""
    ar, ai, br, bi, cr, ci, dr, di = parted(ar, ai, br, bi, cr, ci, dr, di)
    br, bi, cr, ci, dr, di = three_turned(factors, INSIDE, 16, br, bi, cr, ci, dr, di)
    ar, br, cr, dr = swap_quads(ar, br, cr, dr)
    ai, bi, ci, di = swap_quads(ai, bi, ci, di)
    ar, ai, br, bi, cr, ci, dr, di = parted(ar, ai, br, bi, cr, ci, dr, di)
    br, bi, cr, ci, dr, di = three_turned(factors, 0, 16, br, bi, cr, ci, dr, di)
    ar, br, cr, dr = swap_places(ar, br, cr, dr)
    ai, bi, ci, di = swap_places(ai, bi, ci, di)
    ar, ai, br, bi, cr, ci, dr, di = parted(ar, ai, br, bi, cr, ci, dr, di)
    return ar, ai, br, bi, cr, ci, dr, di


def backward_unit(factors, ar, ai, br, bi, cr, ci, dr, di):
    """The way back through `forward_unit`."""
    ar, ai, br, bi, cr, ci, dr, di = joined(ar, ai, br, bi, cr, ci, dr, di)
    ar, br, cr, dr = swap_places(ar, br, cr, dr)
    ai, bi, ci, di = swap_places(ai, bi, ci, di)
    br, bi, cr, ci, dr, di = three_turned_back(factors, 0, 16, br, bi, cr, ci, dr, di)
    ar, ai, br, bi, cr, ci, dr, di = joined(ar, ai, br, bi, cr, ci, dr, di)
    ar, br, cr, dr = swap_quads(ar, br, cr, dr)
    ai, bi, ci, di = swap_quads(ai, bi, ci, di)
    br, bi, cr, ci, dr, di = three_turned_back(factors, INSIDE, 16, br, bi, cr, ci, dr, di)
    ar, ai, br, bi, cr, ci, dr, di = joined(ar, ai, br, bi, cr, ci, dr, di)
    return ar, ai, br, bi, cr, ci, dr, di
