"""The compute device, the only place that names one, and the threads of the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from osmnet_sdk.errors import DeviceError

if TYPE_CHECKING:
    import torch

DEVICE_NAMES = ("auto", "cpu", "cuda", "mps")
"""What `resolve_device` takes; "cuda:1" and the like name one of several."""


def resolve_device(name: str = "auto") -> torch.device:
    """The torch device of a name; "auto" takes CUDA where there is one, else the CPU.

    Raises:
        DeviceError: if the name is unknown or the device is not there.
    """
    import torch

    kind, colon, number = name.partition(":")
    if kind not in DEVICE_NAMES or (colon and kind == "auto"):
        raise DeviceError(f"Unknown device '{name}'; use one of {', '.join(DEVICE_NAMES)}.")
    if kind == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if kind == "cuda" and not torch.cuda.is_available():
        raise DeviceError(f"Device '{name}' was asked for, but torch sees no CUDA; use 'cpu'.")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise DeviceError(f"Device '{name}' was asked for, but torch sees no MPS; use 'cpu'.")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise DeviceError(f"'{name}' is not a device name such as 'cpu' or 'cuda:0'.") from error
    # Of the text, as torch keeps the number in a byte: 258 would be 2.
    if kind == "cuda" and colon and int(number) >= torch.cuda.device_count():
        raise DeviceError(f"Device '{name}' is not there; torch sees {torch.cuda.device_count()}.")
    return device


def describe_device(name: str = "auto") -> str:
    """One line for people: the resolved device and its product name."""
    import torch

    device = resolve_device(name)
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return f"{device} ({torch.get_num_threads()} threads)"


def fast_precision(device: torch.device) -> torch.dtype:
    """The type in which pictures are convolved on a device: bfloat16 on GPUs whose hardware has it.

    A processor always convolves in float32. Some have bfloat16 too, but what a frame looks like
    must not depend on the model of the processor.
    """
    import torch

    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.bfloat16
    return torch.float32


def draws_batches(device: torch.device) -> bool:
    """Whether photos are warped on a device, many frames at a time, and not by the processor.

    It must find the least of 64-bit numbers while it scatters them, which MPS is not known to.
    """
    return device.type == "cuda"


@contextmanager
def one_thread(device: torch.device | str = "cpu") -> Iterator[None]:
    """Compute with one CPU thread in a `with` block; nothing changes if the device is another.

    For networks whose steps take some 50 µs each. A second thread gains next to nothing on an idle
    machine; on a busy one, waiting for it at every step makes them ten times as slow. How torch
    shares a product out among threads shows in its last bits, too.
    """
    import torch

    threads = torch.get_num_threads()
    if torch.device(device).type != "cpu" or threads == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of torch says that a device, or the machine, has no memory left."""
    import torch

    wanting = "not enough memory" in str(error) or "can't allocate memory" in str(error)
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or wanting
