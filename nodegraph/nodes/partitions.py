"""Convolution in pieces: the part of a long response that need not be there at once, by Fourier transforms.

A response is cut into pieces of one size, in stages: pieces of 64 taps first, then of 256, 1024, … up to 16384, as many
stages as pay for this response. A stage transforms each new piece of the sound, multiplies the last ones with the
transforms of the response's pieces, and transforms the sum back. What a stage does begins when a piece of sound is
complete and is spread evenly over the time of the next one, in steps at every 64th frame since the node began: results
do not depend on how the sound is cut into blocks, and no block has more to do than another.

A piece of `n` real numbers is transformed as `n` complex ones, ``x[k] w^k`` with ``w = exp(pi i / 2 n)``: since ``w^n =
i``, the real part of a product turned back is the sum's first half, and the imaginary part is what reaches beyond the
piece. The response's transforms are therefore kept as ``H[q+1] - i H[q]``, and the real part alone is the sound.

Source: W. Gardner, "Efficient convolution without input-output delay", JAES, 1995; G. García, "Optimal filter
partition", AES 113, 2002; R. Crandall, B. Fagin, "Discrete weighted transforms", Mathematics of Computation, 1994.
"""

from typing import Any

import numpy as np

from nodegraph.core.arithmetic import i64, rows, vector
from nodegraph.nodes import fft
from nodegraph.nodes.fft import (
    UNIT,
    backward_pass,
    backward_unit,
    forward_pass,
    forward_unit,
    four,
    joined,
    parted,
    put_four,
    table_of,
    three_turned,
    three_turned_back,
)

# The columns of `plan`, a row a stage: its size, its steps, places in the arrays, and what it costs for 64 frames.
SIZE, SLOTS, STEPS, PERIOD, BUDGET, MIDDLE = 0, 1, 2, 3, 4, 5
SPECTRA, WORK, READY, TWIST = 6, 7, 8, 9
PLAN = 10
# The columns of `job`: how far a stage is with its piece of sound.
STEP, UNITS, SPENT, NEWEST, SIDE, BEGAN, ALONE = 0, 1, 2, 3, 4, 5, 6
JOB = 7
IDLE = 1_000
COST_PASS, COST_UNIT, COST_SLOT = 60, 300, 24  # cycles for 64 numbers, roughly: what counts is the ratio


def middle_cost(slots: int) -> int:
    """Of the middle step, for 64 numbers: the passes inside them, there and back, and every piece's product."""
    return COST_UNIT + COST_SLOT * slots


def stage_cost(size: int, slots: int) -> int:
    """What a stage costs in 64 frames."""
    return 2 * (fft.fours(size) - 3) * COST_PASS + middle_cost(slots)


def stages(taps: int) -> list[tuple[int, int, int]]:
    """How a response is cut: for each stage (size, first tap, pieces), whichever number of stages costs least."""
    found: list[tuple[int, list[tuple[int, int, int]]]] = []
    for count in range(1, len(fft.SIZES) + 1):
        cut = []
        first = 0
        for number, size in enumerate(fft.SIZES[:count]):
            end = taps if number == count - 1 else min(taps, 2 * fft.SIZES[number + 1])
            if end > first:
                cut.append((size, first, -(-(end - first) // size)))
            first = end
        found.append((sum(stage_cost(size, pieces + 1) for size, _, pieces in cut), cut))
    return min(found, key=lambda item: item[0])[1]


def transforms(taps: Any, size: int, first: int, pieces: int) -> Any:
    """One stage's part of a response as the kernel reads it: 64 places at a time, piece by piece."""
    part = np.zeros((pieces + 2, size))
    held = taps[first : first + pieces * size]
    part[1:-1].reshape(-1)[: len(held)] = held
    spectra = np.fft.fft(part * np.exp(0.5j * np.pi * np.arange(size) / size), axis=1)[:, fft.order(size)] / size
    both = spectra[1:] - 1j * spectra[:-1]
    if first == 0:
        both = both[1:]  # the first piece meets the new sound directly
    by_places = both.reshape(len(both), size // UNIT, 4, 16).transpose(1, 0, 2, 3)
    return np.stack([by_places.real, by_places.imag], axis=3).reshape(-1).astype(np.float32)


def cleared(*shape: int) -> Any:
    """Float32 zeros that begin on a cache line."""
    count = int(np.prod(shape))
    room = np.zeros(count + 16, np.float32)
    first = (-room.ctypes.data % 64) // 4
    return room[first : first + count].reshape(shape)


def made_complex(ring, c, began, apart, twist, place, size):
    """Four vectors of sound that lie `apart`, turned by the right angle's factors."""
    w, x = place, began
    ar, ai = ring[c, x : x + 16] * twist[w : w + 16], ring[c, x : x + 16] * twist[w + size : w + size + 16]
    w, x = w + apart, x + apart
    br, bi = ring[c, x : x + 16] * twist[w : w + 16], ring[c, x : x + 16] * twist[w + size : w + size + 16]
    w, x = w + apart, x + apart
    cr, ci = ring[c, x : x + 16] * twist[w : w + 16], ring[c, x : x + 16] * twist[w + size : w + size + 16]
    w, x = w + apart, x + apart
    dr, di = ring[c, x : x + 16] * twist[w : w + 16], ring[c, x : x + 16] * twist[w + size : w + size + 16]
    return ar, ai, br, bi, cr, ci, dr, di


def first_pass(ring, c, began, twist, place, work, at, size, factors, first, last):
    """Units of the first pass, from real sound."""
    quarter = size >> 2
    for unit in range(first, last):
        j = 16 * unit
        ar, ai, br, bi, cr, ci, dr, di = made_complex(ring, c, began + j, quarter, twist, place + j, size)
        ar, ai, br, bi, cr, ci, dr, di = parted(ar, ai, br, bi, cr, ci, dr, di)
        br, bi, cr, ci, dr, di = three_turned(factors, table_of(quarter) + j, quarter, br, bi, cr, ci, dr, di)
        put_four(work, at + j, at + size + j, quarter, ar, ai, br, bi, cr, ci, dr, di)


def made_real(out, to, apart, twist, place, size, ar, ai, br, bi, cr, ci, dr, di):
    """The way back through `made_complex`: the real part is the sound."""
    w, y = place, to
    out[y : y + 16] = ar * twist[w : w + 16] + ai * twist[w + size : w + size + 16]
    w, y = w + apart, y + apart
    out[y : y + 16] = br * twist[w : w + 16] + bi * twist[w + size : w + size + 16]
    w, y = w + apart, y + apart
    out[y : y + 16] = cr * twist[w : w + 16] + ci * twist[w + size : w + size + 16]
    w, y = w + apart, y + apart
    out[y : y + 16] = dr * twist[w : w + 16] + di * twist[w + size : w + size + 16]


def last_pass(ready, to, twist, place, work, at, size, factors, first, last):
    """Units of the last pass back, to real sound."""
    quarter = size >> 2
    for unit in range(first, last):
        j = 16 * unit
        ar, ai, br, bi, cr, ci, dr, di = four(work, at + j, at + size + j, quarter)
        br, bi, cr, ci, dr, di = three_turned_back(factors, table_of(quarter) + j, quarter, br, bi, cr, ci, dr, di)
        ar, ai, br, bi, cr, ci, dr, di = joined(ar, ai, br, bi, cr, ci, dr, di)
        made_real(ready, to + j, quarter, twist, place + j, size, ar, ai, br, bi, cr, ci, dr, di)


def product(past, x, response, h, count, a0, b0, c0, d0, a1, b1, c1, d1, a2, b2, c2, d2, a3, b3, c3, d3):
    """Add up the products of `count` pieces for 64 places: the four parts of a complex product by themselves."""
    for _ in range(count):
        xr, xi, yr, yi, zr, zi, wr, wi = four(past, x, x + 16, 32)
        hr, hi, ir, ii, jr, ji, kr, ki = four(response, h, h + 16, 32)
        a0 += xr * hr
        b0 += xi * hi
        c0 += xr * hi
        d0 += xi * hr
        a1 += yr * ir
        b1 += yi * ii
        c1 += yr * ii
        d1 += yi * ir
        a2 += zr * jr
        b2 += zi * ji
        c2 += zr * ji
        d2 += zi * jr
        a3 += wr * kr
        b3 += wi * ki
        c3 += wr * ki
        d3 += wi * kr
        x += 2 * UNIT
        h += 2 * UNIT
    return a0, b0, c0, d0, a1, b1, c1, d1, a2, b2, c2, d2, a3, b3, c3, d3


def products(past, x, response, h, slots, newest):
    """The sum of all pieces' products for 64 places. The past is a ring of slots, the older behind the newer."""
    o = vector(0.0, 16)
    a0, b0, c0, d0, a1, b1, c1, d1, a2, b2, c2, d2, a3, b3, c3, d3 = product(
        past, x + newest * 2 * UNIT, response, h, slots - newest, o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, o
    )
    a0, b0, c0, d0, a1, b1, c1, d1, a2, b2, c2, d2, a3, b3, c3, d3 = product(
        past, x, response, h + (slots - newest) * 2 * UNIT, newest,
        a0, b0, c0, d0, a1, b1, c1, d1, a2, b2, c2, d2, a3, b3, c3, d3,
    )  # fmt: skip
    return a0 - b0, c0 + d0, a1 - b1, c1 + d1, a2 - b2, c2 + d2, a3 - b3, c3 + d3


def kept(past, x, newest, factors, ar, ai, br, bi, cr, ci, dr, di):
    """The last passes there; the spectrum goes into the newest slot."""
    ar, ai, br, bi, cr, ci, dr, di = forward_unit(factors, ar, ai, br, bi, cr, ci, dr, di)
    n = x + newest * 2 * UNIT
    put_four(past, n, n + 16, 32, ar, ai, br, bi, cr, ci, dr, di)


def copied(past, x, source, newest):
    """The newest slot of another channel."""
    n, m = x + newest * 2 * UNIT, source + newest * 2 * UNIT
    ar, ai, br, bi, cr, ci, dr, di = four(past, m, m + 16, 32)
    put_four(past, n, n + 16, 32, ar, ai, br, bi, cr, ci, dr, di)


def middle(work, at, size, factors, past, x, source, response, h, slots, newest, first, last):
    """Units of the middle step: the last passes there, the products, the first passes back."""
    for unit in range(first, last):
        r = at + unit * UNIT
        n = unit * slots * 2 * UNIT
        if source == x:
            ar, ai, br, bi, cr, ci, dr, di = four(work, r, r + size, 16)
            kept(past, x + n, newest, factors, ar, ai, br, bi, cr, ci, dr, di)
        else:
            copied(past, x + n, source + n, newest)
        ar, ai, br, bi, cr, ci, dr, di = products(past, x + n, response, h + n, slots, newest)
        ar, ai, br, bi, cr, ci, dr, di = backward_unit(factors, ar, ai, br, bi, cr, ci, dr, di)
        put_four(work, r, r + size, 16, ar, ai, br, bi, cr, ci, dr, di)


def short_stage(plan, job, alone, channels, ring, now, response, past, factors, twist, ready):
    """The stage of 64: all of it at once, for the next 64 frames."""
    slots = plan[0, SLOTS]
    newest = slots - 1 if job[0, NEWEST] == 0 else job[0, NEWEST] - 1
    job[0, NEWEST] = newest
    for c in range(channels):
        n = c * slots * 2 * UNIT
        if c == 0 or not alone:
            ar, ai, br, bi, cr, ci, dr, di = made_complex(ring, c, now, 16, twist, 0, UNIT)
            kept(past, n, newest, factors, ar, ai, br, bi, cr, ci, dr, di)
        else:
            copied(past, n, 0, newest)
        ar, ai, br, bi, cr, ci, dr, di = products(past, n, response, n, slots, newest)
        ar, ai, br, bi, cr, ci, dr, di = backward_unit(factors, ar, ai, br, bi, cr, ci, dr, di)
        made_real(ready, c * UNIT, 16, twist, 0, UNIT, ar, ai, br, bi, cr, ci, dr, di)


def begin(plan, job, s, alone, blocks, length):
    """A piece of sound is complete: begin with its first step."""
    job[s, STEP] = 0
    job[s, UNITS] = 0
    job[s, SPENT] = 0
    newest = job[s, NEWEST]
    job[s, NEWEST] = plan[s, SLOTS] - 1 if newest == 0 else newest - 1
    job[s, SIDE] = 1 - job[s, SIDE]
    job[s, BEGAN] = (blocks * UNIT - plan[s, SIZE]) & (length - 1)
    job[s, ALONE] = 1 if alone else 0


def go_on(plan, job, s, budget, channels, ring, response, past, work, ready, factors, twist):
    """Go through a stage's steps until the budget is spent."""
    size, slots, steps = plan[s, SIZE], plan[s, SLOTS], plan[s, STEPS]
    passes = (steps - 1) // 2
    units = size // UNIT
    width = 2 * size * slots
    turns = plan[s, TWIST]
    step, unit, spent = job[s, STEP], job[s, UNITS], job[s, SPENT]
    newest, began, alone = job[s, NEWEST], job[s, BEGAN], job[s, ALONE]
    while step < steps:
        cost = plan[s, MIDDLE] if step == passes else COST_PASS
        last = unit + min(units - unit, (budget - spent) // cost)
        if last <= unit:
            break
        for c in range(channels):
            at = plan[s, WORK] + c * 2 * size
            x = plan[s, SPECTRA] + c * width
            if step < passes:
                if c == 0 or alone == 0:
                    if step == 0:
                        first_pass(ring, c, began, twist, turns, work, at, size, factors, unit, last)
                    else:
                        forward_pass(work, at, size, size >> (2 * step + 2), factors, unit, last)
            elif step == passes:
                source = x if alone == 0 else plan[s, SPECTRA]
                middle(work, at, size, factors, past, x, source, response, x, slots, newest, unit, last)
            elif step < steps - 1:
                backward_pass(work, at, size, i64(16) << (2 * (step - passes)), factors, unit, last)
            else:
                to = plan[s, READY] + (2 * c + job[s, SIDE]) * size
                last_pass(ready, to, twist, turns, work, at, size, factors, unit, last)
        spent += (last - unit) * cost
        unit = last
        if unit == units:
            unit = 0
            step += 1
    job[s, STEP], job[s, UNITS], job[s, SPENT] = step, unit, spent


def add_up(plan, job, blocks, channels, ready, sums):
    """What all stages have ready for the next 64 frames."""
    for c in range(channels):
        n = c * UNIT
        a, b, cc, d = (
            ready[n : n + 16],
            ready[n + 16 : n + 16 + 16],
            ready[n + 32 : n + 32 + 16],
            ready[n + 48 : n + 48 + 16],
        )
        for s in range(1, rows(plan)):
            n = plan[s, READY] + (2 * c + 1 - job[s, SIDE]) * plan[s, SIZE] + (blocks % plan[s, PERIOD]) * UNIT
            a += ready[n : n + 16]
            b += ready[n + 16 : n + 16 + 16]
            cc += ready[n + 32 : n + 32 + 16]
            d += ready[n + 48 : n + 48 + 16]
        sums[c, 0:16] = a
        sums[c, 16 : 16 + 16] = b
        sums[c, 32 : 32 + 16] = cc
        sums[c, 48 : 48 + 16] = d


def arranged(response: list[Any]) -> dict[str, Any]:
    """The arrays for a response, a row of taps a channel."""
    cut = stages(max(len(taps) for taps in response))
    count = len(response)
    plan = np.zeros((len(cut), PLAN), np.int64)
    past = work = ready = turns = 0
    spectra, twists = [], []
    for row, (size, first, pieces) in zip(plan, cut, strict=True):
        slots = pieces if first == 0 else pieces + 1
        row[[SIZE, SLOTS, STEPS, PERIOD]] = size, slots, 2 * (fft.fours(size) - 3) + 1, size // UNIT
        row[[BUDGET, MIDDLE]] = stage_cost(size, slots), middle_cost(slots)
        row[[SPECTRA, WORK, READY, TWIST]] = past, work, ready, turns
        past += 2 * size * slots * count
        work += 2 * size * count
        ready += (1 if first == 0 else 2) * size * count
        turns += 2 * size
        spectra += [transforms(np.asarray(taps, float), size, first, pieces) for taps in response]
        angle = 0.5 * np.pi * np.arange(size) / size
        twists += [np.cos(angle), np.sin(angle)]
    largest = cut[-1][0]
    job = np.zeros((len(cut), JOB), np.int64)
    job[:, STEP] = IDLE
    shifted = cleared(count, 16 * UNIT)
    for row, taps in zip(shifted, response, strict=True):
        head = taps[:UNIT]
        for shift in range(16):
            row[shift * UNIT + shift : (shift + 1) * UNIT][: len(head)] = head[: UNIT - shift]
    made = {"plan": plan, "job": job, "taps": shifted, "ring": cleared(count, 2 * largest)}
    made |= {"sums": cleared(count, 5 * UNIT), "past": cleared(past), "work": cleared(work), "ready": cleared(ready)}
    for name, parts in (("response", spectra), ("factors", [fft.table(largest)]), ("twist", twists)):
        made[name] = cleared(sum(map(len, parts)))
        np.concatenate(parts, out=made[name], casting="same_kind")
    return made
