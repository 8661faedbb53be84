"""Small helpers of several tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def write_wav(path: Path, samples: NDArray[np.floating], rate: int) -> Path:
    """Write mono 16-bit sound."""
    import soundfile

    soundfile.write(path, samples, rate, subtype="PCM_16")
    return path
