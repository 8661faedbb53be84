"""osmnet check: which of some photos will work best, and what is wrong with the others."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from osmnet_sdk.cli_arguments import BundleName, Device, Json
from osmnet_sdk.console import plain_errors, show_result
from osmnet_sdk.errors import OSMNetError, OSMNetWarning

if TYPE_CHECKING:
    from osmnet_sdk.sdk import OSMNet

_GOOD = 0.95
"""Score from which on nothing is wrong that is worth a name."""


def check(
    photos: Annotated[list[Path], typer.Argument(help="Pictures, such as those of one person.")],
    device: Device = "auto",
    bundle: BundleName = "starter",
    as_json: Json = False,
) -> None:
    """Tell how well photos will work, the best first, with a score from 0 to 1 and the reasons."""
    from osmnet_sdk.sdk import OSMNet

    with plain_errors():
        osm = OSMNet(device, bundle)
        found = sorted((_checked(osm, photo) for photo in photos), key=lambda row: -row["score"])
        if as_json:
            show_result({"photos": found}, as_json=True)
            return
        for row in found:
            print("\n    ".join([f"{row['photo']}: {_scored(row)}", *row["advice"]]))


def _scored(row: dict[str, Any]) -> str:
    """The score, and which aspect of the photo it comes from."""
    score = f"{row['score']:.2f}"
    if not row["aspects"] or row["score"] >= _GOOD:
        return score
    return f"{score} ({min(row['aspects'], key=row['aspects'].get)})"


def _checked(osm: OSMNet, photo: Path) -> dict[str, Any]:
    """Score, aspects and advice; a photo that cannot be used at all scores 0."""
    with warnings.catch_warnings(record=True) as caught:  # they are part of the answer
        warnings.simplefilter("always", OSMNetWarning)
        try:
            quality = osm.fit_face(photo).quality
        except OSMNetError as error:
            return {"photo": str(photo), "score": 0.0, "aspects": {}, "advice": [str(error)]}
    said = [str(each.message) for each in caught if issubclass(each.category, OSMNetWarning)]
    aspects = {aspect.name: round(aspect.score, 3) for aspect in quality.aspects}
    return {
        "photo": str(photo),
        "score": round(quality.score, 3),
        "aspects": aspects,
        "advice": list(dict.fromkeys([*quality.warnings, *said])),
    }
