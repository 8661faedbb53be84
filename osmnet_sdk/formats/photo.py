"""A photo from any source as upright 8-bit RGB."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from osmnet_sdk.errors import PhotoError

PhotoSource = str | os.PathLike[str] | BinaryIO | NDArray[Any]
"""A path, a file object opened in binary mode, or an array."""

MIN_SIDE = 32
"""Shortest side that is accepted, in pixels."""
MAX_PIXELS = 200_000_000
"""Largest picture that is accepted; a small file can claim to hold far more than memory does."""
BACKGROUND = (255, 255, 255)
"""What shows through transparent places: white, as in browsers and most viewers."""

_opening = threading.Lock()


def load_photo(source: PhotoSource) -> NDArray[np.uint8]:
    """Load a photo, turned upright as its EXIF orientation asks.

    Grey, palette, CMYK and 16-bit pictures are converted, transparent ones are laid on white, and
    of animations the first frame is taken. Colour profiles are not applied.

    Args:
        source: a path; a binary file object, which is read from its start and left open; or an
            array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8, uint16, or floats in [0, 1].

    Returns:
        uint8 (H, W, 3), RGB.

    Raises:
        PhotoError: if the source cannot be read, is no picture, is cut short, has a side below 32
            pixels or more than 200 megapixels, or an array's shape, type or range is not allowed.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source)
    name, file = _opened(source)
    try:
        image = _identified(file, name)
        _check_size(image.height, image.width, f"'{name}'")
        return _upright_rgb(image, name)
    finally:
        if file is not source:
            file.close()


def _opened(source: Any) -> tuple[str, BinaryIO]:
    """Name for messages, and a binary file at its start."""
    if isinstance(source, (str, os.PathLike)):
        name = os.fsdecode(source)
        try:
            if Path(name).is_dir():
                raise PhotoError(f"'{name}' is a folder; give the path of a photo.")
            return name, Path(name).open("rb")
        except FileNotFoundError as error:
            raise PhotoError(f"There is no file '{name}'; give the path of a photo.") from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise PhotoError(f"'{name}' cannot be opened ({reason}); check its rights.") from error
    label = getattr(source, "name", None)
    name = Path(label).name if isinstance(label, str) and label else "file object"
    if isinstance(source, io.TextIOBase) or not hasattr(source, "read"):
        raise PhotoError(
            f"A photo cannot be read from {type(source).__name__}; give a path, a file object "
            "opened in binary mode ('rb') or an array."
        )
    try:
        if not hasattr(source, "seekable") or not source.seekable():
            return name, io.BytesIO(source.read())
        source.seek(0)
    except (OSError, ValueError) as error:
        raise PhotoError(f"'{name}' cannot be read ({error}); open it again.") from error
    return name, source


def _identified(file: BinaryIO, name: str) -> Image.Image:
    # Pillow's own limit lies below today's 200-megapixel cameras, and its first stage is a warning;
    # only the header is read here, and the size is checked right after.
    with _opening:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(file)
        except UnidentifiedImageError as error:
            file.seek(0)
            what = "is not a picture of a kind that can be read" if file.read(1) else "is empty"
            raise PhotoError(f"'{name}' {what}; give a JPEG, PNG, WebP or TIFF photo.") from error
        except Exception as error:  # Pillow's readers raise many types for damaged headers
            raise PhotoError(
                f"'{name}' is damaged or cut short ({error}); save it again."
            ) from error
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _check_size(height: int, width: int, name: str) -> None:
    if min(height, width) < MIN_SIDE:
        raise PhotoError(
            f"The photo {name} is {width} × {height} pixels; each side must have at least "
            f"{MIN_SIDE}."
        )
    if height * width > MAX_PIXELS:
        raise PhotoError(
            f"The photo {name} is {width} × {height} pixels, more than {MAX_PIXELS // 10**6} "
            "megapixels; scale it down."
        )


def _upright_rgb(image: Image.Image, name: str) -> NDArray[np.uint8]:
    try:
        image.load()
        upright = ImageOps.exif_transpose(image)
        if upright.mode in ("F", "I") or upright.mode.startswith("I;16"):
            return _deep_grey(np.asarray(upright), name)
        if upright.has_transparency_data:
            rgba = upright.convert("RGBA")
            flat = Image.new("RGBA", rgba.size, (*BACKGROUND, 255))
            upright = Image.alpha_composite(flat, rgba)
        return np.array(upright.convert("RGB"))
    except PhotoError:
        raise
    except MemoryError as error:
        raise PhotoError(f"There is not enough memory for '{name}'; scale it down.") from error
    except Exception as error:  # Pillow's readers raise many types for damaged data
        raise PhotoError(
            f"The picture '{name}' is damaged or cut short ({error}); save it again."
        ) from error


def _deep_grey(grey: NDArray[Any], name: str) -> NDArray[np.uint8]:
    """Grey of more than 8 bits: integers are 16-bit, floats within 0 to 1 or 0 to 255."""
    top = float(np.max(grey))
    if not np.isfinite(grey).all() or float(np.min(grey)) < 0 or top > 65535:
        raise PhotoError(f"The picture '{name}' has values beyond 16 bits; save it as 8-bit RGB.")
    is_float = grey.dtype.kind == "f"
    full = (1.0 if top <= 1 else 255.0) if is_float and top <= 255 else 65535.0
    scaled = np.rint(grey * np.float32(255.0 / full))
    return np.repeat(scaled.astype(np.uint8)[..., None], 3, axis=2)


def _from_array(array: NDArray[Any]) -> NDArray[np.uint8]:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise PhotoError(
            f"A photo as an array must have shape (H, W), (H, W, 3) or (H, W, 4), not "
            f"{array.shape}."
        )
    _check_size(array.shape[0], array.shape[1], "given as an array")
    pixels = _eight_bit(array if array.ndim == 3 else array[..., None])
    if pixels.shape[2] == 1:
        return np.repeat(pixels, 3, axis=2)
    if pixels.shape[2] == 4:
        alpha = pixels[..., 3:].astype(np.float32) / 255.0
        ground = np.array(BACKGROUND, np.float32)
        mixed = np.rint(pixels[..., :3] * alpha + ground * (1.0 - alpha))
        return np.asarray(mixed, dtype=np.uint8)
    return np.array(pixels, order="C")


def _eight_bit(array: NDArray[Any]) -> NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.uint16:
        return ((array.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    if array.dtype.kind != "f":
        raise PhotoError(
            f"A photo as an array must be uint8, uint16, or float in [0, 1], not {array.dtype}."
        )
    if not np.isfinite(array).all() or array.min() < 0 or array.max() > 1:
        raise PhotoError(
            f"A photo as a float array must lie within 0 to 1, but has {array.min():.4g} to "
            f"{array.max():.4g}; scale it, or give uint8."
        )
    return np.asarray(np.rint(array * 255.0), dtype=np.uint8)
