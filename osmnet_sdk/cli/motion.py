"""osmnet basis and osmnet rotate: the paper's analyses of the motion basis (section IV-E)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from osmnet_sdk.cli.arguments import (
    Face,
    Label,
    OutFolder,
    Overwrite,
    Renderer,
    Run,
    SizeText,
    path,
)
from osmnet_sdk.cli.checks import check_photo
from osmnet_sdk.cli.console import frame_size
from osmnet_sdk.cli.parameters import command
from osmnet_sdk.core.files import check_output_file, check_output_folder, output_folder, replaced
from osmnet_sdk.errors import OutputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from osmnet_sdk.client import OSMNet
    from osmnet_sdk.face.source import SourceFace
    from osmnet_sdk.motion.basis import BasisVector
    from osmnet_sdk.motion.turning import HeadTurn
    from osmnet_sdk.progress import ProgressCallback

_FACES = 3
"""Frames of a face for each basis vector."""
_FACE_SIDE = 128
"""Height and width of one of them, in pixels."""
_FACES_ACROSS = 4
_MOST_NAMED = 5
"""Basis vectors that the report on a turned head names."""


@command
def basis(
    run: Run,
    *,
    photo: Annotated[
        Path | None,
        typer.Argument(help="Picture of one face, to be moved by each vector.", parser=path),
    ] = None,
    output: OutFolder = Path("basis"),
    by_attention: Annotated[
        bool,
        typer.Option(
            "--by-attention", help="Largest share of attention first, not the lowest number."
        ),
    ] = False,
    label: Label = True,
    face_index: Face = None,
    overwrite: Overwrite = False,
) -> None:
    """Draw what each vector of the motion basis does, and name its action."""
    check_output_folder(output)
    if photo is not None:
        check_photo(photo, face_index)

    from osmnet_sdk.core.provenance import file_metadata
    from osmnet_sdk.formats.overview import write_basis
    from osmnet_sdk.motion.basis import HELD_SECONDS, HELD_STRENGTH

    osm = run.osmnet()
    vectors = osm.motion_basis()
    face = None if photo is None else osm.fit_face(photo, face_index=face_index)
    folder = output_folder(output)
    if by_attention:
        vectors.sort(key=lambda vector: -(vector.attention or 0.0))
    provenance = _basis_provenance(osm, face)
    stem = _basis_stem(folder, provenance, overwrite)
    files = [folder / f"{stem}{ending}" for ending in provenance]
    _write_numbers(files[0], osm, vectors)
    write_basis(
        files[1],
        [f"{vector.label} {vector.name}" for vector in vectors],
        [vector.clip for vector in vectors],
        [vector.held for vector in vectors],
        [vector.attention for vector in vectors],
        f"the vector held for {HELD_SECONDS:g} s at a strength of {HELD_STRENGTH:g}, chained "
        "as in a take",
        file_metadata(provenance[".png"]),
    )
    if face is not None:
        metadata = file_metadata(provenance["-faces.png"])
        _draw_faces(files[2], osm, face, vectors, label, metadata, run.progress)
    if not run.as_json:
        _print_table(vectors)
    shown: dict[str, Any] = {"files": [str(path) for path in files]}
    if run.as_json:
        shown["vectors"] = [_facts(vector) for vector in vectors]
    run.show(shown)


@command
def rotate(
    photo: Annotated[Path, typer.Argument(help="Picture of one face.", parser=path)],
    run: Run,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A .png file.", parser=path)
    ] = Path("rotated.png"),
    yaw: Annotated[
        float, typer.Option(help="Degrees, −45 to 45; above 0 turns to the subject's left.")
    ] = 0.0,
    pitch: Annotated[float, typer.Option(help="Degrees, −45 to 45; above 0 looks down.")] = 0.0,
    roll: Annotated[
        float, typer.Option(help="Degrees, −45 to 45; above 0 tilts to the subject's right.")
    ] = 0.0,
    frontal: Annotated[
        bool,
        typer.Option(
            "--frontal", help="Count angles from the view from the front, not from the photo's own."
        ),
    ] = False,
    size: SizeText = "crop",
    renderer: Renderer = "auto",
    label: Label = True,
    face_index: Face = None,
    overwrite: Overwrite = False,
) -> None:
    """Turn the head in a photo by combining basis vectors; --frontal makes it face the camera."""
    if output.suffix.lower() != ".png":
        raise OutputError(f"Cannot write '{output}': give a file name that ends in .png.")
    check_output_file(output)
    wanted = frame_size(size)
    check_photo(photo, face_index)

    from osmnet_sdk.core.provenance import file_metadata
    from osmnet_sdk.formats.image_sequence import write_png
    from osmnet_sdk.formats.outputs import free_file, origin
    from osmnet_sdk.motion.turning import wanted_rotation
    from osmnet_sdk.rendering.output import frame_provenance

    wanted_rotation((pitch, yaw, roll), None)
    osm = run.osmnet()
    osm.renderer_window(renderer)
    face = osm.fit_face(photo, face_index=face_index)
    angles: dict[str, Any] = {"pitch": pitch, "yaw": yaw, "roll": roll, "frontal": frontal}
    turn = osm.head_turn(face, **angles)
    image = osm.rotate(face, renderer=renderer, size=wanted, label=label, **angles)
    provenance = frame_provenance(face, turn.motion)
    made_of = origin(json.loads(provenance)) | {"take_sha256": None}  # angles are options
    output = free_file(output, made_of, overwrite=overwrite)
    write_png(output, image, file_metadata(provenance))
    end = face.fit.pose.moved(turn.reached, (0.0, 0.0, 0.0)).angles
    result: dict[str, Any] = {
        "output": str(output),
        "turned_by": _angles(turn.reached),
        "residual_degrees": round(turn.residual, 4),
        "before_the_camera": _angles(end),
        "clips": len(turn.weights),
        "basis": _shares(turn, osm.motion_basis()),
    }
    if not run.as_json:
        for name in ("turned_by", "before_the_camera"):
            result[name] = ", ".join(f"{k} {v:.1f}°" for k, v in result[name].items())
        result["basis"] = [
            f"{part['share']:.0%} {part['label']} {part['name']}" for part in result["basis"]
        ]
    run.show(result)


def _angles(values: NDArray[np.float64]) -> dict[str, float]:
    from osmnet_sdk.core.conventions import AXES

    # Adding 0 makes −0 a plain 0.
    return {name: round(float(v), 3) + 0.0 for name, v in zip(AXES, values, strict=True)}


def _shares(turn: HeadTurn, vectors: list[BasisVector]) -> list[dict[str, Any]]:
    """The basis vectors that a turn is made of, largest share first."""
    if not len(turn.weights):
        return []
    shares = turn.weights.mean(axis=0)
    return [
        {"label": vectors[i].label, "name": vectors[i].name, "share": round(float(shares[i]), 4)}
        for i in shares.argsort()[::-1][:_MOST_NAMED]
        if shares[i] > 0
    ]


def _facts(vector: BasisVector) -> dict[str, Any]:
    return {
        "index": vector.index,
        "label": vector.label,
        "name": vector.name,
        "peak_degrees": _angles(vector.peaks),
        "attention": None if vector.attention is None else round(vector.attention, 5),
    }


def _basis_provenance(osm: OSMNet, face: SourceFace | None) -> dict[str, str]:
    """What the results of `basis` come from, as JSON, by how their names end."""
    from osmnet_sdk.core.provenance import of_photo
    from osmnet_sdk.tracks import Provenance

    made_by = Provenance(source="edited", bundle=osm.bundle.name, bundle_sha256=osm.bundle.sha256)
    text = made_by.model_dump_json(exclude_defaults=True)
    endings = {".json": text, ".png": text}
    return (
        endings
        if face is None
        else endings | {"-faces.png": of_photo(text, face.photo, face.index)}
    )


def _basis_stem(folder: Path, provenance: dict[str, str], overwrite: bool) -> str:
    from osmnet_sdk.formats.outputs import free_stem, origin

    endings = {ending: origin(json.loads(text)) for ending, text in provenance.items()}
    return free_stem(folder, "basis", endings, overwrite=overwrite)


def _write_numbers(path: Path, osm: OSMNet, vectors: list[BasisVector]) -> None:
    from osmnet_sdk.core.conventions import FPS
    from osmnet_sdk.motion.basis import HELD_STRENGTH

    content = {
        "source": "edited",
        "bundle": osm.bundle.name,
        "bundle_sha256": osm.bundle.sha256,
        "fps": int(FPS),
        "columns": ["pitch_degrees", "yaw_degrees", "roll_degrees", "x_m", "y_m", "z_m"],
        "held_strength": HELD_STRENGTH,
        "vectors": [
            _facts(vector)
            | {"clip": vector.clip.round(5).tolist(), "held": vector.held.round(5).tolist()}
            for vector in vectors
        ],
    }
    with replaced(path) as temporary:
        temporary.write_text(json.dumps(content), encoding="utf-8")


def _draw_faces(
    path: Path,
    osm: OSMNet,
    face: SourceFace,
    vectors: list[BasisVector],
    label: bool,
    metadata: dict[str, str],
    progress: ProgressCallback | None,
) -> None:
    """Draw the face moved by each vector alone: its clip, scaled down where it is too strong."""
    import numpy as np

    from osmnet_sdk.core.conventions import FPS
    from osmnet_sdk.formats.image_sequence import write_png
    from osmnet_sdk.formats.overview import sheet_image
    from osmnet_sdk.motion.basis import shown_poses
    from osmnet_sdk.tracks import ExpressionTrack, MotionTrack

    shown = [shown_poses(vector.clip, _FACES) for vector in vectors]
    poses = np.concatenate([part for part, _ in shown]).astype(np.float32)
    motion = MotionTrack(FPS, poses[:, :3], poses[:, 3:])
    own = ExpressionTrack(FPS, np.tile(face.fit.expression.astype(np.float32), (len(poses), 1)))
    frames = osm.render(
        face, motion, own, size=(_FACE_SIDE, _FACE_SIDE), label=label, keep_rest=False,
        progress=progress,
    )  # fmt: skip
    rows = [[next(frames) for _ in part] for part, _ in shown]
    titles = [
        f"{vector.label} {vector.name}" + (f" x{factor:.2f}" if factor < 1 else "")
        for vector, (_, factor) in zip(vectors, shown, strict=True)
    ]
    write_png(path, sheet_image(rows, titles, _FACES_ACROSS), metadata)


def _print_table(vectors: list[BasisVector]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from osmnet_sdk.core.conventions import AXES

    table = Table("vector", "action", box=box.SIMPLE_HEAD)
    for axis in AXES:
        table.add_column(f"{axis} (°)", justify="right")
    table.add_column("attention (%)", justify="right")
    for vector in vectors:
        share = "" if vector.attention is None else f"{100 * vector.attention:.1f}"
        table.add_row(vector.label, vector.name, *(f"{peak:.1f}" for peak in vector.peaks), share)
    Console(highlight=False).print(table)
