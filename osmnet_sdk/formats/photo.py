"""A photo from any source as upright 8-bit RGB."""

from __future__ import annotations

import io
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from osmnet_sdk.core.conventions import MIN_PHOTO_SIDE
from osmnet_sdk.errors import PhotoError
from osmnet_sdk.formats.colour_profile import to_srgb

PhotoSource = str | os.PathLike[str] | BinaryIO | NDArray[Any]
"""A path, a file object opened in binary mode, or an array."""

MAX_PIXELS = 200_000_000
"""Largest picture that is accepted; a small file can claim to hold far more than memory does."""
BACKGROUND = (255, 255, 255)
"""What shows through transparent places: white, as in browsers and most viewers."""

_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
"""What a HEIC file names its kind, after the letters "ftyp"."""
HEIC_EXTRA = 'pip install "osmnet-sdk[heic]"'

_opening = threading.Lock()


@dataclass(frozen=True, eq=False)
class Picture:
    """A photo as it was loaded.

    Attributes:
        pixels: (H, W, 3) uint8, RGB in sRGB, laid on white.
        alpha: (H, W) uint8, 255 where the photo is opaque; None if it is so everywhere.
    """

    pixels: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None = None


def load_photo(source: PhotoSource) -> NDArray[np.uint8]:
    """Load a photo as `load_picture` does, without its alpha.

    Returns:
        uint8 (H, W, 3), RGB.

    Raises:
        PhotoError: as `load_picture`.
    """
    return load_picture(source).pixels


def load_picture(source: PhotoSource) -> Picture:
    """Load a photo, turned upright as its EXIF orientation asks, in sRGB.

    Grey, palette, CMYK and 16-bit pictures are converted by their colour profile, or as sRGB
    without one; transparent ones are laid on white; of animations the first frame is taken.

    Args:
        source: a path; a binary file object, which is read from its start and left open; or an
            array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8, uint16, or floats in [0, 1].

    Raises:
        PhotoError: if the source cannot be read, is no picture, is cut short, has a side below 32
            pixels or more than 200 megapixels, or an array's shape, type or range is not allowed;
            also for a HEIC photo without the extra `heic`.

    Warns:
        OSMNetWarning: if the photo's colour profile cannot be read.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source)
    name, file = _opened(source)
    try:
        image = _identified(file, name)
        _check_size(image.height, image.width, f"'{name}'")
        return _upright(image, name)
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
            if _is_heic(file):
                _read_heic_too(name)
            return Image.open(file)
        except PhotoError:
            raise
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


def _is_heic(file: BinaryIO) -> bool:
    """Whether a file is named as HEIC in its header and not as AVIF, which Pillow reads itself."""
    header = file.read(64)
    file.seek(0)
    if header[4:8] != b"ftyp":
        return False
    brands = header[8 : min(int.from_bytes(header[:4], "big"), len(header))]
    return header[8:12] in _HEIC_BRANDS and b"avif" not in brands


def _read_heic_too(name: str) -> None:
    """Let Pillow read HEIC.

    Raises:
        PhotoError: if the extra is not installed.
    """
    try:
        import pi_heif
    except ImportError as error:
        raise PhotoError(
            f"'{name}' is a HEIC photo, as phones make them; install what reads it with "
            f"'{HEIC_EXTRA}', or save it as JPEG."
        ) from error
    pi_heif.register_heif_opener(thumbnails=False)


def _check_size(height: int, width: int, name: str) -> None:
    if min(height, width) < MIN_PHOTO_SIDE:
        raise PhotoError(
            f"The photo {name} is {width} × {height} pixels; each side must have at least "
            f"{MIN_PHOTO_SIDE}."
        )
    if height * width > MAX_PIXELS:
        raise PhotoError(
            f"The photo {name} is {width} × {height} pixels, more than {MAX_PIXELS // 10**6} "
            "megapixels; scale it down."
        )


def _upright(image: Image.Image, name: str) -> Picture:
    try:
        image.load()
        upright = ImageOps.exif_transpose(image)
        if upright.mode in ("F", "I") or upright.mode.startswith("I;16"):
            grey = Image.fromarray(_deep_grey(np.asarray(upright), name))
            grey.info = upright.info
            upright = grey
        upright = to_srgb(upright, name)
        if upright.has_transparency_data:
            return _on_white(np.array(upright.convert("RGBA")))
        return Picture(np.array(upright.convert("RGB")))
    except PhotoError:
        raise
    except MemoryError as error:
        raise PhotoError(f"There is not enough memory for '{name}'; scale it down.") from error
    except Exception as error:  # Pillow's readers raise many types for damaged data
        raise PhotoError(
            f"The picture '{name}' is damaged or cut short ({error}); save it again."
        ) from error


def _on_white(rgba: NDArray[np.uint8]) -> Picture:
    """A picture (H, W, 4) of straight alpha, its transparent places laid on white."""
    alpha = rgba[..., 3]
    if (alpha == 255).all():
        return Picture(np.array(rgba[..., :3], order="C"))
    flat = Image.new("RGBA", (rgba.shape[1], rgba.shape[0]), (*BACKGROUND, 255))
    mixed = Image.alpha_composite(flat, Image.fromarray(rgba))
    return Picture(np.array(mixed.convert("RGB")), np.array(alpha, order="C"))


def _deep_grey(grey: NDArray[Any], name: str) -> NDArray[np.uint8]:
    """Grey of more than 8 bits: integers are 16-bit, floats within 0 to 1 or 0 to 255."""
    top = float(np.max(grey))
    if not np.isfinite(grey).all() or float(np.min(grey)) < 0 or top > 65535:
        raise PhotoError(f"The picture '{name}' has values beyond 16 bits; save it as 8-bit RGB.")
    is_float = grey.dtype.kind == "f"
    full = (1.0 if top <= 1 else 255.0) if is_float and top <= 255 else 65535.0
    return np.asarray(np.rint(grey * np.float32(255.0 / full)), np.uint8)


def _from_array(array: NDArray[Any]) -> Picture:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise PhotoError(
            f"A photo as an array must have shape (H, W), (H, W, 3) or (H, W, 4), not "
            f"{array.shape}."
        )
    _check_size(array.shape[0], array.shape[1], "given as an array")
    pixels = _eight_bit(array if array.ndim == 3 else array[..., None])
    if pixels.shape[2] == 1:
        return Picture(np.repeat(pixels, 3, axis=2))
    if pixels.shape[2] == 4:
        return _on_white(np.ascontiguousarray(pixels))
    return Picture(np.array(pixels, order="C"))


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
