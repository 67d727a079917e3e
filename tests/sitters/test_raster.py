"""The z-buffer, on triangles whose image is known by hand."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from headmime.sitters import raster
from headmime.sitters.warp_cpu import to_warp, wp

SIZE = 16


def draw_frames(points, faces, cut=None):
    """face [SIZE, SIZE], depth [SIZE, SIZE] and first two weights [SIZE, SIZE, 2]."""
    cut = np.ones(len(points)) if cut is None else cut
    canvas = raster.rasterise(
        to_warp(np.array(points, np.float32), wp.vec3),
        to_warp(np.array(cut, np.float32), float),
        to_warp(np.array(faces, np.int32), wp.vec3i),
        SIZE,
    )
    shape = (SIZE, SIZE)
    return (
        canvas.face.numpy().reshape(shape),
        canvas.depth.numpy().reshape(shape),
        canvas.inside.numpy().reshape(*shape, 2),
    )


SQUARE = [(0, 0, 1), (SIZE, 0, 1), (SIZE, SIZE, 1), (0, SIZE, 1)]


def test_half_a_square():
    face, depth, _ = draw_frames(SQUARE, [(0, 1, 3)])
    row, column = np.mgrid[:SIZE, :SIZE]
    covered = (row + column + 1) < SIZE  # sample centres above the diagonal
    on_the_edge = (row + column + 1) == SIZE
    assert ((face == 0) == covered)[~on_the_edge].all()
    assert (depth[covered] == 1).all()
    assert (depth[~covered & ~on_the_edge] == 0).all()


def test_two_triangles_leave_no_gap():
    face, _, _ = draw_frames(SQUARE, [(0, 1, 2), (0, 2, 3)])
    assert (face >= 0).all()


def test_the_nearer_triangle_wins_in_any_order():
    near = [(x, y, 2) for x, y, _ in SQUARE]
    for faces in ([(0, 1, 2), (4, 5, 6)], [(4, 5, 6), (0, 1, 2)]):
        face, depth, _ = draw_frames([*SQUARE, *near], faces)
        assert set(np.unique(face)) == {-1, faces.index((4, 5, 6))}
        assert depth.max() == 2


def test_the_winding_does_not_matter():
    assert ((draw_frames(SQUARE, [(0, 1, 3)])[0]) == (draw_frames(SQUARE, [(3, 1, 0)])[0])).all()


def test_where_the_cut_is_negative_there_is_a_hole():
    cut = [-1, 1, 1, -1]  # negative in the left half
    face, _, _ = draw_frames(SQUARE, [(0, 1, 2), (0, 2, 3)], cut)
    assert (face[:, : SIZE // 2] == -1).all()
    assert (face[:, SIZE // 2 :] >= 0).all()


def test_behind_the_camera_nothing_is_drawn():
    face, _, _ = draw_frames([(0, 0, 1), (SIZE, 0, 1), (0, SIZE, -1)], [(0, 1, 2)])
    assert (face == -1).all()


coordinate = st.floats(-SIZE, 2 * SIZE, width=32)


@settings(max_examples=60)
@given(st.tuples(*[coordinate] * 6))
def test_weights_give_back_the_place_of_the_sample(values):
    points = np.array(values).reshape(3, 2)
    face, _, inside = draw_frames(np.c_[points, np.ones(3)], [(0, 1, 2)])
    weights = np.concatenate([inside, 1 - inside.sum(-1, keepdims=True)], -1)
    row, column = np.nonzero(face == 0)
    found = weights[row, column] @ points
    assert np.allclose(found, np.stack([column, row], -1) + 0.5, atol=0.05)
