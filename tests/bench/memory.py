"""How much memory something took."""

from __future__ import annotations

import platform

from osmnet_sdk.research.evaluation.long_sound import peak_megabytes


def peak_memory(device: str = "cpu") -> float:
    """Largest memory so far in MB: what a device counts, else this process's resident size."""
    if device != "cpu":
        import torch

        counted = getattr(torch.get_device_module(device), "max_memory_allocated", None)
        if counted is not None:
            return float(counted() / 1e6)
    # A child's getrusage begins with the size of the process that started it; Linux knows better.
    own = peak_megabytes()
    if own is not None:
        return own
    try:
        import resource
    except ImportError:  # Windows has no such module
        return float("nan")
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / (1e6 if platform.system() == "Darwin" else 1e3)
