"""Lids, lips, the mouth's inside, shoulders and what is around the head, on the sample photo."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.face import landmark_sets as sets
from osmnet_sdk.face.model import PARTS
from osmnet_sdk.rendering.view import crop_view
from osmnet_sdk.rendering.warp.backdrop import person_mask
from osmnet_sdk.rendering.warp.frame import FrameRenderer
from osmnet_sdk.rendering.warp.geometry import build_geometry
from osmnet_sdk.rendering.warp.mouth import MouthPainter
from osmnet_sdk.rendering.warp.mouth_photo import in_light
from osmnet_sdk.rendering.warp.raster import rasterize
from osmnet_sdk.rendering.warp.texture_region import head_region


@pytest.fixture(scope="module")
def renderer(face):
    return FrameRenderer(face, crop_view(face, 256, 256))


def expression(face, **coefficients):
    """The photo's expression with the mouth of the average face, and some coefficients set."""
    mouth = [name.startswith(("jaw", "mouth")) for name in ARKIT_NAMES]
    values = np.where(mouth, 0.0, face.fit.expression)
    for name, value in coefficients.items():
        values[ARKIT_NAMES.index(name)] = value
    return values


def mesh(renderer, values):
    """Landmarks (478, 3) in the frame, the part at each of its pixels (−1 beside), and coverage."""
    geometry = renderer.geometry
    points = renderer.view.to_frame(geometry.project(geometry.posed(values), geometry.fit.pose))
    cover = rasterize(points, geometry.model.triangles, (256, 256))
    parts = np.where(cover.triangle >= 0, geometry.model.parts[cover.triangle], -1)
    return geometry.model.at_landmarks(points), parts, cover


def level(pixels):
    return np.asarray(pixels, float).mean(-1)


def test_a_closed_lid_has_the_tone_of_the_skin_around_it_and_is_not_flat(renderer, face):
    open_eyes = expression(face, eyeBlinkLeft=0, eyeBlinkRight=0)
    shut = expression(face, eyeBlinkLeft=1, eyeBlinkRight=1)
    before, after = (renderer.draw(face.fit.pose, values) for values in (open_eyes, shut))
    for loop, middle, brow in ((sets.LEFT_EYE, 386, 282), (sets.RIGHT_EYE, 159, 52)):
        edge = mesh(renderer, shut)[0][middle, :2].round().astype(int)
        top = mesh(renderer, open_eyes)[0][middle, :2].round().astype(int)
        brow_line = mesh(renderer, shut)[0][brow, 1]
        lid = after[top[1] : edge[1] - 1, edge[0] - 4 : edge[0] + 5].astype(float)
        # skin that no lid covers: between the lid and the brow
        above = before[round(brow_line) + 4 : top[1] - 3, edge[0] - 4 : edge[0] + 5].astype(float)
        difference = lid.mean((0, 1)) - above.mean((0, 1))
        assert abs(difference.mean()) < 20, loop
        assert np.ptp(difference) < 8, loop  # no other tint
        profile = level(after[top[1] - 6 : edge[1] + 2, edge[0] - 2 : edge[0] + 3]).mean(1)
        assert profile[:-3].std() > 3, loop  # round, with a crease
        assert profile[-5:].min() < profile[:-5].mean() - 20, loop  # lashes


def test_the_photo_around_an_unmoved_head_stays_as_it_is(renderer, face):
    frame = renderer.draw(face.fit.pose, face.fit.expression).astype(float)
    photo = renderer.view.still(face.photo)
    beside_face = mesh(renderer, face.fit.expression)[1] < 0
    change = np.abs(frame - photo).mean(-1)[beside_face]
    assert change.mean() < 0.6
    assert np.percentile(change, 99) < 8


def test_what_a_head_leaves_behind_has_none_of_its_colour(renderer, face):
    """The head moves far to one side; where hair was, the wall is seen."""
    pose = face.fit.pose.moved((0, 0, 0), (0.09, 0, 0))
    frame = renderer.draw(pose, face.fit.expression)
    landmarks, *_ = mesh(renderer, face.fit.expression)
    cheek, forehead = landmarks[234].round().astype(int), landmarks[10].round().astype(int)
    uncovered = frame[forehead[1] : cheek[1], cheek[0] - 25 : cheek[0]].astype(float)
    wall = renderer.view.still(face.photo)[10:60, 5:25].astype(float)
    assert np.abs(uncovered.mean((0, 1)) - wall.mean((0, 1))).max() < 20
    assert level(uncovered).min() > level(wall).mean() - 45


@pytest.mark.parametrize(("background", "is_hair"), [("plain", True), ("patterned", False)])
def test_single_hairs_before_a_plain_wall_go_with_the_head(face, background, is_hair):
    wall = np.full_like(face.photo, 200)
    if background == "patterned":
        wall[::8] = 90
    photo = np.where(cv2.dilate(face.mask, np.ones((9, 9)))[..., None] > 20, face.photo, wall)
    top = int(np.nonzero((face.mask > 127).any(1))[0][0])
    middle = round(face.crop.x + face.crop.side / 2)
    cv2.line(photo, (middle - 30, top - 8), (middle + 30, top - 8), (60, 40, 30), 1)
    geometry = build_geometry(replace(face, photo=photo))
    texture_region = head_region(geometry, 256 / face.crop.side)
    nowhere = np.zeros(texture_region.shape, bool)
    person = person_mask(geometry, texture_region, texture_region.cut(photo), nowhere)
    x, y = texture_region.to_pixels(np.array([[middle, top - 8]]))[0]
    assert person[y - 1 : y + 2, x].any() == is_hair
    assert person[y + 20, x]


def test_a_black_and_white_photo_gets_a_grey_mouth():
    tongue = (168, 92, 94)
    assert np.ptp(in_light(tongue, np.array([150.0, 150, 150]))) < 1
    assert np.ptp(in_light(tongue, np.array([190.0, 160, 140]))) > 60
    dark = in_light([tongue], np.array([90.0, 70, 60]))
    assert dark.shape == (1, 3)
    assert dark.mean() < 0.7 * np.mean(tongue)


def test_lips_draw_together_as_they_pucker(renderer, face):
    def width(values):
        landmarks, *_ = mesh(renderer, values)
        right, left = landmarks[list(sets.MOUTH_CORNERS), 0]
        return left - right

    usual = width(expression(face))
    assert width(expression(face, mouthPucker=1)) < 0.8 * usual
    assert width(expression(face, mouthFunnel=1)) < 0.87 * usual


def test_the_open_mouth_has_depth(renderer, face):
    """Painted where the photo shows nothing: teeth are lighter than the tongue, which is red."""
    unknown = replace(
        renderer.scene.textures, mouth_share=np.zeros_like(renderer.scene.textures.mouth_share)
    )
    painter = MouthPainter(renderer.geometry, unknown, renderer.scene.mesh_source)
    values = expression(face, jawOpen=0.9)
    _, parts, cover = mesh(renderer, values)
    colours, share = painter.paint(renderer.geometry.posed(values), cover, 1.0)
    teeth, tongue = (parts == PARTS.index(name) for name in ("upper_teeth", "tongue"))
    assert min(teeth.sum(), tongue.sum()) > 20
    assert level(colours[teeth]).mean() > level(colours[tongue]).mean() + 40
    assert level(colours[tongue]).mean() > 45
    assert colours[tongue][:, 0].mean() > 1.15 * colours[tongue][:, 2].mean()
    rows, columns = np.nonzero(tongue)
    column = round(columns.mean())
    middle = level(colours[rows[columns == column], column])
    assert middle[-3:].mean() > middle.min() + 8  # darker the further back
    # the edge of the mouth is soft, and no colour from outside shows there
    edge = (share > 0.1) & (share < 0.9)
    assert edge.any()
    assert level(colours[edge]).min() > 20


def test_closed_lips_show_no_teeth_between_them(renderer, face):
    """A gap of a fraction of a pixel must not glint."""
    frame = renderer.draw(face.fit.pose, expression(face, jawOpen=0.02)).astype(float)
    landmarks, *_ = mesh(renderer, expression(face))
    line = landmarks[list(sets.LIPS_INNER), :2].round().astype(int)
    seam = level(frame[line[:, 1], line[:, 0]])
    lips = level(frame[line[:, 1] + 3, line[:, 0]])
    assert seam.max() < lips.max() + 10


def test_shoulders_follow_the_head_a_little(renderer, face):
    grid, geometry = renderer.scene.grid, renderer.geometry
    vertices = geometry.posed(face.fit.expression)
    below = (grid.source - face.landmarks[sets.CHIN]) @ geometry.down / geometry.face_height
    middle = face.crop.x + face.crop.side / 2
    inside = np.abs(grid.source[:, 0] - middle) < face.crop.side / 4
    shoulders = inside & (below > 0.55) & (below < 0.8)
    head = inside & (below < -0.3)
    moved = grid.posed(geometry, vertices, face.fit.pose.moved((0, 0, 0), (0.03, 0, 0)))
    shift = (moved[:, :2] - grid.source)[:, 0]
    assert 0.15 < shift[shoulders].mean() / shift[head].mean() < 0.6
    # smoothly: neighbours move alike, and nothing folds
    side = round(np.sqrt(len(shift)))
    cell = grid.source[1, 0] - grid.source[0, 0]
    assert (np.diff(moved[:, 0].reshape(side, side), axis=1) > 0.2 * cell).all()
    rolled = grid.posed(geometry, vertices, face.fit.pose.moved((0, 0, 20), (0, 0, 0)))
    tilt = (rolled[:, :2] - grid.source)[:, 1]
    right = shoulders & (grid.source[:, 0] < geometry.source[:, 0].mean())
    assert abs(tilt[right].mean() - tilt[shoulders & ~right].mean()) > 1


def test_the_grid_stands_still_where_the_still_photo_goes_on(renderer, face):
    grid, geometry = renderer.scene.grid, renderer.geometry
    vertices = geometry.posed(face.fit.expression)
    pose = face.fit.pose.moved((5, 20, 10), (0.03, 0.03, 0))
    moved = grid.posed(geometry, vertices, pose)[:, :2] - grid.source
    low = grid.source[:, 1] >= face.photo.shape[0] - 1
    below = (grid.source - face.landmarks[sets.CHIN]) @ geometry.down / geometry.face_height
    right = (grid.source[:, 0] == grid.source[:, 0].max()) & (below > 0.8)
    assert right.any()
    assert np.abs(moved[right]).max() < 1
    assert not (low & (below > 1)).any() or np.abs(moved[low & (below > 1), 1]).max() < 1
