"""Colours of a picture as its ICC profile means them, brought to sRGB."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageCms

from osmnet_sdk.errors import OSMNetWarning

_SPACES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab ": "LAB"}
"""Colour spaces of profiles, and the mode in which Pillow has such pictures."""
_OPAQUE = {"RGBA": "RGB", "RGBX": "RGB", "RGBa": "RGB", "P": "RGB", "PA": "RGB", "LA": "L",
           "La": "L", "1": "L"}  # fmt: skip
"""Modes of pictures, and the mode in which their colours alone are converted."""
_MAX_PROFILE = 16 * 2**20
"""Bytes of the largest profile that is read; those of printers have two or three million."""
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.HIGHRESPRECALC


def to_srgb(image: Image.Image, name: str) -> Image.Image:
    """A picture in sRGB, of mode RGB or RGBA if it has a profile that fits it, else as it is.

    Args:
        image: of mode RGB, RGBA, L, LA, P, PA, CMYK or LAB; alpha is kept as it is.
        name: how messages call the picture.

    Warns:
        OSMNetWarning: if the profile cannot be read; the colours are then taken for sRGB.
    """
    data = image.info.get("icc_profile")
    if not data:
        return image
    try:
        if len(data) > _MAX_PROFILE:
            raise ValueError("it is too large")
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        wanted = _SPACES.get(profile.profile.xcolor_space)
        alpha = None
        if image.has_transparency_data:
            alpha = image.convert("RGBA").getchannel("A")
        plain = _OPAQUE.get(image.mode, image.mode)
        # A profile of another kind than the picture was left in by a program that converted it.
        if plain != wanted or "sRGB" in (profile.profile.profile_description or ""):
            return image
        converted = ImageCms.profileToProfile(
            _opaque(image, plain),
            profile,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=_FLAGS,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        warnings.warn(
            f"The colour profile of '{name}' cannot be read ({error}), so its colours may be a "
            "little off; save the picture as sRGB.",
            OSMNetWarning,
            stacklevel=5,
        )
        return image
    if converted is None:  # only when a picture is converted in place
        return image
    if alpha is not None:
        converted.putalpha(alpha)
    return converted


def _opaque(image: Image.Image, mode: str) -> Image.Image:
    """The colours of a picture without its alpha, none of them mixed with another."""
    if image.mode in ("RGBa", "La"):
        image = image.convert("RGBA" if image.mode == "RGBa" else "LA")
    return image.convert(mode)
