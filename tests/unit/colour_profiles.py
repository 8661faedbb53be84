"""Makes small ICC profiles (version 2), as cameras and printers put them into pictures."""

from __future__ import annotations

import struct

import numpy as np

D50 = (0.9642, 1.0, 0.8249)


def _s15(values) -> bytes:
    return b"".join(struct.pack(">i", round(v * 65536)) for v in values)


def _profile(space: bytes, kind: bytes, tags: dict[bytes, bytes], pcs: bytes = b"XYZ ") -> bytes:
    text = b"made by a test"
    tags = {
        b"desc": b"desc" + struct.pack(">II", 0, len(text) + 1) + text + b"\0" + bytes(78),
        b"cprt": b"text" + bytes(4) + text + b"\0",
        b"wtpt": b"XYZ " + bytes(4) + _s15(D50),
        **tags,
    }
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(
        ">I4sI4s4s4s12s4s4s", start + len(body), b"lcms", 0x02400000, kind, space, pcs,
        struct.pack(">6H", 2020, 1, 1, 0, 0, 0), b"acsp", b"APPL",
    )  # fmt: skip
    header += bytes(68 - len(header)) + _s15(D50)
    return header + bytes(128 - len(header)) + table + body


def _curve(gamma: float) -> bytes:
    return b"curv" + struct.pack(">IIH", 0, 1, round(gamma * 256))


def to_xyz(primaries) -> np.ndarray:
    """(3, 3) from linear RGB to D65 XYZ for the x, y of red, green and blue."""
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in primaries]).T
    white = np.array([0.3127 / 0.3290, 1.0, (1 - 0.3127 - 0.3290) / 0.3290])
    return columns * np.linalg.solve(columns, white)


def rgb_profile(primaries, gamma: float) -> bytes:
    """A profile of a screen or a camera with a white of D65."""
    bradford = np.array(
        [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
    )
    matrix = to_xyz(primaries)
    scale = (bradford @ np.array(D50)) / (bradford @ matrix.sum(1))
    matrix = np.linalg.inv(bradford) @ np.diag(scale) @ bradford @ matrix
    tags = {}
    for name, column in zip((b"r", b"g", b"b"), matrix.T, strict=True):
        tags[name + b"XYZ"] = b"XYZ " + bytes(4) + _s15(column)
        tags[name + b"TRC"] = _curve(gamma)
    return _profile(b"RGB ", b"mntr", tags)


def grey_profile(gamma: float) -> bytes:
    """A profile of grey pictures."""
    return _profile(b"GRAY", b"mntr", {b"kTRC": _curve(gamma)})


def cmyk_profile(paper: tuple[int, int, int], inks: np.ndarray) -> bytes:
    """A profile of a press: Lab as bytes of the paper, and (4, 3) what each full ink adds."""
    ramp = bytes(range(256))
    grid = np.stack(np.meshgrid(*[[0, 1]] * 4, indexing="ij"), -1).reshape(16, 4)
    lab = np.clip(np.array(paper) + grid @ inks, 0, 255).astype(np.uint8)
    table = b"mft1" + struct.pack(">IBBBB", 0, 4, 3, 2, 0) + _s15(np.eye(3).ravel())
    table += ramp * 4 + lab.tobytes() + ramp * 3
    return _profile(b"CMYK", b"prtr", {b"A2B0": table, b"A2B1": table}, pcs=b"Lab ")
