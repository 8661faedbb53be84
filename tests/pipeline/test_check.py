"""osmnet check: the best photo first, and no photo stops the others from being looked at."""

import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from osmnet_sdk.cli.application import app


@pytest.fixture(scope="module")
def photos(tmp_path_factory, astronaut):
    folder = tmp_path_factory.mktemp("photos with spaces")
    tight = np.ascontiguousarray(astronaut[40:205, 160:290])
    for name, image in (("tight.png", tight), ("whole.png", astronaut)):
        Image.fromarray(image).save(folder / name)
    Image.fromarray(np.full((100, 100, 3), 90, np.uint8)).save(folder / "nobody.png")
    Image.fromarray(np.concatenate([astronaut, astronaut[:, ::-1]], axis=1)).save(
        folder / "two.png"
    )
    Image.fromarray(astronaut).resize((96, 96)).save(folder / "tiny.png")
    (folder / "damaged.jpg").write_bytes(b"not a picture")
    return folder


def test_photos_are_ranked_with_reasons(photos):
    names = ("nobody.png", "tight.png", "tiny.png", "whole.png")
    given = [str(photos / name) for name in names]
    result = CliRunner().invoke(app, ["check", *given, "--json"])
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["photos"]
    assert [row["photo"] for row in rows[:2]] == [given[3], given[1]]
    assert rows[0]["score"] > rows[1]["score"]
    assert "cut off by the photo's edge" in " ".join(rows[1]["advice"])
    assert rows[1]["aspects"]["room"] < rows[0]["aspects"]["room"]
    assert [row["score"] for row in rows[2:]] == [0.0, 0.0]
    assert all(len(row["advice"]) == 1 for row in rows[2:])
    text = CliRunner().invoke(app, ["check", given[3]])
    assert text.exit_code == 0
    worst = min(rows[0]["aspects"], key=rows[0]["aspects"].get)
    assert f"whole.png: {rows[0]['score']:.2f} ({worst})" in text.stdout


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_what_cannot_be_read_is_an_error_after_all_others(photos, as_json):
    given = [str(photos / name) for name in ("none.png", "nobody.png", "damaged.jpg")]
    result = CliRunner().invoke(app, ["check", *given, *as_json])
    assert result.exit_code == 1
    errors = result.stderr.splitlines()
    assert [line.startswith("error: ") for line in errors] == [True, True]
    assert "none.png" in errors[0]
    assert "damaged.jpg" in errors[1]
    if as_json:
        (row,) = json.loads(result.stdout)["photos"]
        assert (row["photo"], row["score"]) == (given[1], 0.0)
    else:
        assert result.stdout.startswith(f"{given[1]}: 0.00\n    No face")


def test_a_second_face_is_told_of(photos):
    result = CliRunner().invoke(app, ["check", str(photos / "two.png"), "--json"])
    (row,) = json.loads(result.stdout)["photos"]
    assert any("2 faces" in words for words in row["advice"])
