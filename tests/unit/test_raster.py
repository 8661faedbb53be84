"""The z-buffer, against what can be worked out by hand."""

from __future__ import annotations

import numpy as np

from osmnet_sdk.rendering.warp.raster import FAR, interpolate, rasterize, vertex_normals

SQUARE = np.array([[1, 1, 2], [1, 6, 2], [6, 6, 2], [6, 1, 2]], np.float32)
TOWARDS_US = np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def test_a_square_covers_its_pixels_and_no_others():
    cover = rasterize(SQUARE, TOWARDS_US, (8, 9))
    rows, columns = np.nonzero(cover.triangle >= 0)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (1, 6, 1, 6)
    assert len(rows) == 36
    assert cover.depth[0, 0] == FAR
    assert cover.depth[3, 3] == 2


def test_the_nearer_triangle_wins_whatever_the_order():
    points = np.concatenate([SQUARE, SQUARE + np.float32([0, 0, -1])])
    for triangles in ([*TOWARDS_US, *(TOWARDS_US + 4)], [*(TOWARDS_US + 4), *TOWARDS_US]):
        cover = rasterize(points, np.array(triangles, np.int32), (8, 8))
        assert (cover.depth[cover.triangle >= 0] == 1).all()


def test_triangles_that_face_away_are_left_out_unless_asked_for():
    away = TOWARDS_US[:, ::-1]
    assert (rasterize(SQUARE, away, (8, 8)).triangle < 0).all()
    assert (rasterize(SQUARE, away, (8, 8), cull=False).triangle >= 0).sum() == 36


def test_interpolation_of_positions_gives_the_pixel_itself():
    cover = rasterize(SQUARE, TOWARDS_US, (8, 8))
    seen = interpolate(cover, TOWARDS_US, SQUARE[:, :2])
    rows, columns = np.nonzero(cover.triangle >= 0)
    np.testing.assert_allclose(seen[rows, columns], np.stack([columns, rows], 1), atol=1e-5)
    assert not seen[0].any()


def test_what_lies_beyond_the_picture_is_cut_off():
    far_out = SQUARE * [100, 100, 1] - [200, 200, 0]
    cover = rasterize(far_out, TOWARDS_US, (8, 8))
    assert (cover.triangle >= 0).all()
    degenerate = np.zeros((3, 3), np.float32)
    assert (rasterize(degenerate, np.array([[0, 1, 2]], np.int32), (8, 8)).triangle < 0).all()


def test_normals_of_a_plane_point_out_of_it():
    points = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
    normals = vertex_normals(points, np.array([[0, 1, 2], [0, 2, 3]], np.int32))
    np.testing.assert_allclose(normals, np.tile([0, 0, 1], (4, 1)))
