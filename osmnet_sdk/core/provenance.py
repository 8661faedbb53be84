"""What tells viewers and programs that a video was generated: words, and metadata of its file."""

from __future__ import annotations

import hashlib
import json

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.errors import InputError

LABEL = "AI-generated"
"""Text of the visible label, and the first words of the comment in a file."""

TITLE = "AI-generated talking head (OSM-Net for Blender)"


def file_metadata(provenance_json: str) -> dict[str, str]:
    """Metadata of a generated video file.

    Args:
        provenance_json: the take's provenance as one JSON text.

    Returns:
        "title", and "comment": "AI-generated. " followed by the JSON text.

    Raises:
        InputError: if the text is no JSON.
    """
    try:
        json.loads(provenance_json)
    except ValueError as error:
        raise InputError(f"The provenance of a video must be one JSON text: {error}.") from error
    return {"title": TITLE, "comment": f"{LABEL}. {provenance_json}"}


def of_photo(provenance_json: str, photo: NDArray[np.uint8], face_index: int = 0) -> str:
    """Provenance of a picture or video that shows a face: the take's, and which photo it is of.

    Args:
        provenance_json: the take's provenance as one JSON text, an object.
        photo: the pixels of the photo.
        face_index: which face of the photo, counted from the largest.

    Returns:
        The JSON text with "photo_sha256", the SHA-256 of the pixels, and, unless it is the largest
        face, "face_index".
    """
    digest = hashlib.sha256(np.ascontiguousarray(photo).data).hexdigest()
    text = {**json.loads(provenance_json), "photo_sha256": digest}
    if face_index:
        text["face_index"] = face_index
    return json.dumps(text, ensure_ascii=False, separators=(",", ":"))
