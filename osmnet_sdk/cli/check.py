"""osmnet check: which of some photos will work best, and what is wrong with the others."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from osmnet_sdk.cli.arguments import Run, path
from osmnet_sdk.cli.console import EXIT_UNREADABLE, say_error
from osmnet_sdk.cli.parameters import command
from osmnet_sdk.core.wording import visible
from osmnet_sdk.errors import OSMNetWarning, PhotoError

if TYPE_CHECKING:
    from osmnet_sdk.client import OSMNet

_GOOD = 0.95
"""Score from which on nothing is wrong that is worth a name."""


@command
def check(
    photos: Annotated[
        list[Path], typer.Argument(help="Pictures, such as those of one person.", parser=path)
    ],
    run: Run,
) -> None:
    """Tell how well photos will work, the best first, with a score from 0 to 1 and the reasons.

    A photo without a usable face scores 0. Missing and unreadable files are named as errors
    when all others are listed, and the exit code is then 1.
    """
    osm = run.osmnet()
    found: list[dict[str, Any]] = []
    unreadable: list[PhotoError] = []
    for photo in photos:
        try:
            found.append(_checked(osm, photo))
        except PhotoError as error:
            unreadable.append(error)
    found.sort(key=lambda row: -row["score"])
    if run.as_json:
        run.show({"photos": found})
    else:
        for row in found:
            lines = [f"{row['photo']}: {_scored(row)}", *row["advice"]]
            print("\n    ".join(map(visible, lines)))
    for unread in unreadable:
        say_error(unread)
    if unreadable:
        raise SystemExit(EXIT_UNREADABLE)


def _scored(row: dict[str, Any]) -> str:
    """The score, and which aspect of the photo it comes from."""
    score = f"{row['score']:.2f}"
    if not row["aspects"] or row["score"] >= _GOOD:
        return score
    return f"{score} ({min(row['aspects'], key=row['aspects'].get)})"


def _checked(osm: OSMNet, photo: Path) -> dict[str, Any]:
    """Score, aspects and advice; a photo without a face that can be used scores 0.

    Raises:
        PhotoError: if the photo cannot be read.
    """
    from osmnet_sdk.formats.photo import load_photo

    with warnings.catch_warnings(record=True) as caught:  # they are part of the answer
        warnings.simplefilter("always", OSMNetWarning)
        try:
            quality = osm.fit_face(photo).quality
        except PhotoError as error:
            load_photo(photo)  # fails as before, unless it is the face that is wrong
            return {"photo": str(photo), "score": 0.0, "aspects": {}, "advice": [str(error)]}
    said = [str(each.message) for each in caught if issubclass(each.category, OSMNetWarning)]
    aspects = {aspect.name: round(aspect.score, 3) for aspect in quality.aspects}
    return {
        "photo": str(photo),
        "score": round(quality.score, 3),
        "aspects": aspects,
        "advice": list(dict.fromkeys([*quality.warnings, *said])),
    }
