"""What a frame of a rig costs per pixel, compiled: pictures moved and laid over each other, and morphed.

A pixel is a uint32, red in the lowest byte and alpha in the highest. Two channels at a time are computed in one uint64,
32 bits for each. OpenCV does the same with a call for each step and layer of each tile, which took 1.8 times the
processor's time at 512 px and 2.4 times at 1024 px, most of it holding the interpreter.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from puppeteer.compiled import compiled


@compiled
def lay(pictures: Any, some: Any, looks: Any, at: Any, share: Any, edges: Any, out: Any, first: Any, last: Any) -> None:
    """Straight (S, S) into `out`, cell rows `first` to `last`, from premultiplied `pictures`, L of (S, S), back to
    front. Front to back, so that nothing is fetched that something opaque covers.

    `some` (L, C, C) above 0 where a picture shows anything, `looks` (L, 2, C + 2, C + 2) px where the middles of cells,
    and of a frame of cells about them, look; pixel i lies by `share[i]` from the middle of cell `at[i]` of those to the
    next; `edges` (C + 1) px of the cells.
    """
    layers, cells, size = some.shape[0], some.shape[1], out.shape[0]
    pixel: Any
    inside_x: Any
    inside_y: Any
    byte, third, eight, bits16, bits32 = (
        np.uint64(0xFF),
        np.uint64(0xFF0000),
        np.uint64(8),
        np.uint64(16),
        np.uint64(32),
    )
    half, lanes = np.uint64(0x80 | 0x80 << 32), np.uint64(0xFFFF | 0xFFFF << 32)
    widest = 0
    for j in range(cells):
        widest = max(widest, edges[j + 1] - edges[j])
    # Of the pixels of a cell: how much shows through what was laid, of 2**15, and the sums, of 255 * 2**23.
    left = np.empty(widest * widest, np.uint32)
    red_blue = np.empty(widest * widest, np.uint64)
    green_alpha = np.empty(widest * widest, np.uint64)
    end, most = np.uint64(size - 1), np.int64(size - 1) << 16
    per, fine = np.float32(cells / size), np.float32(65536)
    for i in range(first, last):
        for j in range(cells):
            top, bottom, start, stop = edges[i], edges[i + 1], edges[j], edges[j + 1]
            drawn = False
            for k in range(layers - 1, -1, -1):
                near_x = int((looks[k, 0, i + 1, j + 1] + np.float32(0.5)) * per)
                near_y = int((looks[k, 1, i + 1, j + 1] + np.float32(0.5)) * per)
                if some[k, min(max(near_y, 0), cells - 1), min(max(near_x, 0), cells - 1)] == 0:
                    continue
                if not drawn:
                    drawn = True
                    for n in range((bottom - top) * (stop - start)):
                        left[n], red_blue[n], green_alpha[n] = 1 << 15, 0, 0
                picture = pictures[k]
                waits = False
                pixel = np.uint64(0)
                for row in range(top, bottom):
                    a, down = at[row], share[row]
                    column = start
                    while column < stop:  # along a line between the middles of two cells
                        c = at[column]
                        x0 = looks[k, 0, a, c] + down * (looks[k, 0, a + 1, c] - looks[k, 0, a, c])
                        y0 = looks[k, 1, a, c] + down * (looks[k, 1, a + 1, c] - looks[k, 1, a, c])
                        x1 = looks[k, 0, a, c + 1] + down * (looks[k, 0, a + 1, c + 1] - looks[k, 0, a, c + 1])
                        y1 = looks[k, 1, a, c + 1] + down * (looks[k, 1, a + 1, c + 1] - looks[k, 1, a, c + 1])
                        step_x, step_y = np.int64((x1 - x0) * per * fine), np.int64((y1 - y0) * per * fine)
                        x = np.int64((x0 + share[column] * (x1 - x0)) * fine) + 128
                        y = np.int64((y0 + share[column] * (y1 - y0)) * fine) + 128
                        while column < stop and at[column] == c:
                            column += 1
                            # The body ends at the picture's edge: what moves in from outside continues it.
                            inside_x, inside_y = min(max(x, 0), most), min(max(y, 0), most)
                            x += step_x
                            y += step_y
                            n = pixel
                            pixel += np.uint64(1)
                            through = np.uint64(left[n])
                            if through == 0:
                                continue
                            sx, sy = np.uint64(inside_x >> 16), np.uint64(inside_y >> 16)
                            nx, ny = min(sx + np.uint64(1), end), min(sy + np.uint64(1), end)
                            p00, p01 = np.uint64(picture[sy, sx]), np.uint64(picture[sy, nx])
                            p10, p11 = np.uint64(picture[ny, sx]), np.uint64(picture[ny, nx])
                            if p00 | p01 | p10 | p11 == 0:
                                waits = True
                                continue
                            u, v = np.uint64(inside_x >> 8) & byte, np.uint64(inside_y >> 8) & byte
                            w11 = u * v
                            w01, w10 = (u << eight) - w11, (v << eight) - w11
                            w00 = np.uint64(65536) - w01 - w10 - w11
                            rb = (
                                w00 * (p00 & byte | (p00 & third) << bits16)
                                + w01 * (p01 & byte | (p01 & third) << bits16)
                                + w10 * (p10 & byte | (p10 & third) << bits16)
                                + w11 * (p11 & byte | (p11 & third) << bits16)
                            )
                            ga = (
                                w00 * (p00 >> eight & byte | p00 >> np.uint64(24) << bits32)
                                + w01 * (p01 >> eight & byte | p01 >> np.uint64(24) << bits32)
                                + w10 * (p10 >> eight & byte | p10 >> np.uint64(24) << bits32)
                                + w11 * (p11 >> eight & byte | p11 >> np.uint64(24) << bits32)
                            )
                            rb, ga = (rb + half) >> eight & lanes, (ga + half) >> eight & lanes  # of 255 * 2**8
                            red_blue[n] += rb * through
                            green_alpha[n] += ga * through
                            # times alpha / 65280
                            through -= (ga >> bits32) * through * np.uint64(65794) >> bits32
                            left[n] = np.uint32(through)
                            waits |= through != 0
                if not waits:
                    break
            pixel = np.uint64(0)
            for row in range(top, bottom):
                for column in range(start, stop):
                    out[row, column] = 0
                    if not drawn:
                        continue
                    rb, ga = red_blue[pixel] >> np.uint64(15), green_alpha[pixel] >> np.uint64(15)
                    pixel += np.uint64(1)
                    alpha = ga >> bits32
                    opacity = (alpha + np.uint64(128)) >> eight
                    if opacity == 0:
                        continue
                    r, g, b = rb & np.uint64(0x1FFFF), ga & np.uint64(0x1FFFF), rb >> bits32
                    r, g, b = min(r, alpha), min(g, alpha), min(b, alpha)
                    if opacity == 255:
                        r, g, b = (
                            (r + np.uint64(128)) >> eight,
                            (g + np.uint64(128)) >> eight,
                            (b + np.uint64(128)) >> eight,
                        )
                    else:
                        r = (r * np.uint64(255) + (alpha >> np.uint64(1))) // alpha
                        g = (g * np.uint64(255) + (alpha >> np.uint64(1))) // alpha
                        b = (b * np.uint64(255) + (alpha >> np.uint64(1))) // alpha
                    out[row, column] = np.uint32(r | g << eight | b << bits16 | opacity << np.uint64(24))


@compiled
def change(
    picture: Any, gain: Any, before: Any, after: Any, out: Any, top: Any, bottom: Any, left: Any, right: Any
) -> None:
    """`picture` into `out`, changed by `gain` of 255 of what `after` is more than `before`; premultiplied (H, W), and
    no colour above its alpha. In rows `top` to `bottom` and columns `left` to `right`."""
    for row in range(top, bottom):
        for column in range(left, right):
            was, now, share = before[row, column], after[row, column], np.int64(gain[row, column])
            pixel = np.int64(picture[row, column])
            if was == now or share == 0:
                out[row, column] = pixel
                continue
            changed: Any = np.int64(0)
            most: Any = np.int64(255)
            old, new = np.int64(was), np.int64(now)
            for place in (24, 16, 8, 0):  # alpha first
                more = ((new >> place & 255) - (old >> place & 255)) * share
                value: Any = (pixel >> place & 255) + (2 * more + 255) // 510
                value = min(max(value, 0), most)
                most = value if place == 24 else most
                changed |= value << place
            out[row, column] = changed
