"""Changes to files and texts that make them odd: bytes, numbers, JSON values, parts of archives."""

from __future__ import annotations

import io
import json
import math
import random
import re
import zipfile
from typing import Any

Random = random.Random

_BYTES = (b"\0", b"\xff", b"\x7f", b"\x80", b"\r\n", b'"', b"\x1b[2J", b"\xef\xbb\xbf", b"\xff\xfe")
_NUMBERS = (
    b"0", b"-1", b"1e999", b"1e-999", b"nan", b"inf", b"1e308", b"99999999999999999999", b"0x10",
    b"9" * 400, b"", b"1/0", b"-0", b"1,5", b"4294967296", b"2147483648", b"1e999999999",
)  # fmt: skip
_MILD = (b"0", b"1", b"2", b"0.5", b"10", b"3.25", b"60")
"""Numbers that are often allowed, so that what comes after the first check is tried, too."""
_TEXTS = (
    "", "x" * 3000, "\x1b]0;x\x07", "\ud800", "a\nb", "\u202egnp", "0", "../../x", "NaN",
    "日本" * 90, "1e999999999", "\0", "x" * 120_000,
)  # fmt: skip


def mutated_bytes(data: bytes, rng: Random) -> bytes:
    """A few changes at any place: flips, cuts, insertions, copies, and numbers of all sizes."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        if not changed:
            break
        at = rng.randrange(len(changed))
        length = min(len(changed) - at, rng.choice((1, 2, 4, 8, 64, 512)))
        kind = rng.randrange(8)
        if kind == 0:
            changed[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            changed[at : at + length] = rng.randbytes(length)
        elif kind == 2:
            del changed[at : at + length]
        elif kind == 3:
            changed[at:at] = rng.choice(_BYTES) * rng.choice((1, 1, 3, 1000))
        elif kind == 4:
            changed[at:at] = changed[at : at + length]
        elif kind == 5:
            del changed[at:]
        else:
            width = rng.choice((1, 2, 4, 8))
            value = rng.choice((0, 1, (1 << 8 * width) - 1, 1 << (8 * width - 1), 255))
            order = rng.choice(("little", "big"))
            packed = (value % (1 << 8 * width)).to_bytes(width, order)
            changed[at : at + width] = packed
    return bytes(changed)


def mutated_text(data: bytes, rng: Random) -> bytes:
    """Numbers and words of a text replaced by others, or any bytes changed."""
    if rng.random() < 0.4:
        return mutated_bytes(data, rng)
    places = list(re.finditer(rb"-?\d+(?:\.\d+)?|[A-Za-z]+|[,;:=\"]", data[:100_000]))
    for place in sorted(rng.sample(places, min(len(places), rng.choice((1, 1, 2, 5)))),
                        key=lambda found: -found.start()):  # fmt: skip
        other = rng.choice((*_NUMBERS, *_BYTES, rng.choice(_TEXTS).encode("utf-8", "replace")))
        if place[0][-1:].isdigit() and rng.random() < 0.5:
            other = rng.choice(_MILD)
        data = data[: place.start()] + other + data[place.end() :]
    return data


def odd_value(rng: Random) -> Any:
    """A value that a JSON text can hold and that hardly anybody expects."""
    deep: Any = 0
    for _ in range(rng.choice((3, 14, 40, 700))):
        deep = [deep] if rng.random() < 0.7 else {"a": deep}
    return rng.choice(
        (None, True, -1, 0, 0.5, 10**30, 10**400, -(2**63), 1e308, math.nan, math.inf, [], {}, deep,
         [0] * 30_000, {str(i): i for i in range(300)}, rng.choice(_TEXTS), {"": {}}, [[]])
    )  # fmt: skip


def similar_value(value: Any, rng: Random) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool) or value is None:
        return rng.choice((True, False, None))
    if isinstance(value, (int, float)):
        return type(value)(rng.choice((0, 1, 2, 0.5, 3.25, 10, 89, 179, 1e5)))
    return value[: rng.randrange(len(value) + 1)] + rng.choice(("", "a", "é", "1", "\n"))


def mutated_value(value: Any, rng: Random) -> Any:
    """A JSON value with one place changed, taken away, added or renamed."""
    if not isinstance(value, (dict, list)) and rng.random() < 0.5:
        return similar_value(value, rng)
    if rng.random() < 0.05 or not isinstance(value, (dict, list)) or not value:
        return odd_value(rng)
    if isinstance(value, list):
        at = rng.randrange(len(value))
        return [*value[:at], mutated_value(value[at], rng), *value[at + 1 :]]
    name = rng.choice(sorted(value, key=str))
    kind = rng.random()
    if kind < 0.1:
        return {key: item for key, item in value.items() if key != name}
    if kind < 0.2:
        return {**value, rng.choice(_TEXTS): odd_value(rng)}
    return {**value, name: mutated_value(value[name], rng)}


def mutated_json(data: bytes, rng: Random) -> bytes:
    """A JSON text with an odd value, or with any bytes changed."""
    if rng.random() < 0.3:
        return mutated_text(data, rng)
    text = json.dumps(mutated_value(json.loads(data), rng), ensure_ascii=rng.random() < 0.8)
    return text.encode("utf-8", "surrogatepass")


def mutated_npz(data: bytes, rng: Random) -> bytes:
    """An .npz file with one part changed where it matters, or with any bytes changed."""
    import numpy as np

    if rng.random() < 0.3:
        return mutated_bytes(data, rng)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(sorted(parts))
    kind = rng.randrange(6) if rng.random() < 0.4 else 0
    if kind < 2 and "meta.npy" in parts:
        meta = str(np.load(io.BytesIO(parts["meta.npy"])))
        text = mutated_json(meta.encode(), rng).decode("utf-8", "replace")
        parts["meta.npy"] = _npy(np.array(text))
    elif kind == 2:
        parts[name] = mutated_text(parts[name][:128], rng) + parts[name][128:]
    elif kind == 3:
        shape = rng.choice(((), (0, 3), (1, 3), (7,), (2, 3, 4), (5, 52), (3, 3)))
        dtype = rng.choice(("f8", ">f4", "i4", "u8", "c8", "U3", "S3", "?", "f2"))
        with np.errstate(all="ignore"):
            parts[name] = _npy(np.full(shape, rng.choice((0, 1, 200, 3e38))).astype(dtype))
    elif kind == 4:
        parts[name] = mutated_bytes(parts[name], rng)
    else:
        parts[rng.choice(("x.npy", "rotation", "../x.npy", "é.npy"))] = parts.pop(name)
    stream = io.BytesIO()
    method = rng.choice((0, 8, 8, 12, 14))
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    packed = stream.getvalue()
    return mutated_bytes(packed, rng) if rng.random() < 0.1 else packed


def _npy(values: Any) -> bytes:
    import numpy as np

    stream = io.BytesIO()
    np.save(stream, values)
    return stream.getvalue()
