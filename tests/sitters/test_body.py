"""Blendshapes and skinning, on a body of four vertices."""

from dataclasses import fields, replace

import numpy as np
import pytest

from headmime.errors import HeadmimeError
from headmime.sitters import body as module
from headmime.sitters.body import Body, bone_transforms, load_body, skin_vertices

PHENOTYPES = sum(len(v) if isinstance(v, tuple) else v for v in module.VARIATIONS.values())
FEMALE = 4  # column of `variations` after three races and one gender


@pytest.fixture
def tiny() -> Body:
    """One shape for the second gender, a local pair (more, less), one facial action."""
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    shapes = np.zeros((3, 4, 3), np.float32)
    shapes[0, 1] = (1, 0, 0)
    shapes[1, 2] = (0, 1, 0)
    shapes[2, 2] = (0, -2, 0)
    actions = np.zeros((1, 4, 3), np.float32)
    actions[0, 3] = (0, 0, 1)
    variations = np.zeros((1, PHENOTYPES), bool)
    variations[0, FEMALE] = True
    weights = np.zeros((4, 5), np.float32)
    weights[:3, 0] = 1
    weights[3, 4] = 1
    empty = np.zeros(4, np.float32)
    return Body(
        vertices=vertices,
        faces=np.array([[0, 1, 2], [0, 1, 3]], np.int32),
        part=np.zeros(2, np.int32),
        source=np.array([3, 5, 8, 9], np.int32),
        shapes=shapes,
        shape_names=np.array(["000", "nose-hump-incr", "nose-hump-decr"]),
        shape_is_local=np.array([False, True, True]),
        actions=actions,
        action_names=np.array(["jawOpen"]),
        bones=np.zeros((4, 3), np.float32),
        bone_shapes=np.zeros((3, 4, 3), np.float32),
        weights=weights,
        variations=variations,
        openness=empty,
        paint_lips=empty,
        paint_mouth=empty,
        paint_ears=empty,
        paint_lids=empty,
    )


def test_phenotypes_blend(tiny):
    assert np.allclose(tiny.person({"gender": 0.0}, {})[0], tiny.vertices)
    assert np.allclose(tiny.person({"gender": 1.0}, {})[0][1], (2, 0, 0))
    assert np.allclose(tiny.person({"gender": 0.25}, {})[0][1], (1.25, 0, 0))


def test_local_changes_have_two_directions(tiny):
    assert tiny.local_names == ["nose-hump-incr"]
    more, less = (
        tiny.person({"gender": 0.0}, {"nose-hump-incr": value})[0][2] for value in (0.5, -0.5)
    )
    assert np.allclose(more, (0, 1.5, 0))
    assert np.allclose(less, (0, 0, 0))


def test_expressions_add_up(tiny):
    expressed = tiny.express(tiny.vertices, np.array([[0.0], [0.5]]))
    assert np.allclose(expressed[0], tiny.vertices)
    assert np.allclose(expressed[1, 3], (0, 0, 1.5))


def test_vertices_are_found_by_their_number_in_the_base_mesh(tiny):
    assert tiny.vertex(np.array([8, 3])).tolist() == [2, 0]
    with pytest.raises(KeyError, match="not part of the head"):
        tiny.vertex(np.array([4]))


def test_bones_turn_about_their_joints():
    joints = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 2], [0, 0, 3]], float)
    quarter = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], float)  # about x
    turns = np.broadcast_to(np.eye(3), (1, 4, 3, 3)).copy()
    turns[0, 1] = quarter
    rotation, translation = bone_transforms(joints, turns)

    def moved(bone, point):
        return rotation[0, bone] @ point + translation[0, bone]

    assert np.allclose(moved(1, (0, 0, 5)), (0, 0, 5))  # below the turned bone
    assert np.allclose(moved(2, (0, 0, 1)), (0, 0, 1))  # its joint stays
    assert np.allclose(moved(4, (0, 0, 3)), (0, -2, 1))  # children go along


def test_skinning_blends_bones(tiny):
    rotation = np.broadcast_to(np.eye(3), (5, 3, 3))
    translation = np.zeros((5, 3))
    translation[4] = (0, 0, 2)
    weights = np.zeros((4, 5))
    weights[:, 0] = (1, 0.5, 0, 0)
    weights[:, 4] = (0, 0.5, 1, 1)
    moved = skin_vertices(tiny.vertices, weights, rotation, translation) - tiny.vertices
    assert np.allclose(moved[:, 2], (0, 1, 2, 2))


def test_the_cache_is_read_back_and_damage_is_named(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    path = module.cache_path()
    path.parent.mkdir()
    np.savez(path, **{field.name: getattr(tiny, field.name) for field in fields(Body)})
    assert (load_body().shapes == tiny.shapes).all()
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(HeadmimeError, match="is damaged: delete this file"):
        load_body()
    np.savez(path, vertices=tiny.vertices)
    with pytest.raises(HeadmimeError, match="is damaged: delete this file"):
        load_body()


def test_a_filled_cache_appears_whole_or_not_at_all(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    arrays = {field.name: getattr(tiny, field.name) for field in fields(Body)}
    from headmime.sitters import extract

    monkeypatch.setattr(extract, "extract", lambda scratch: arrays | {"unsaved": lambda: 0})
    with pytest.raises(Exception, match="pickle"):
        load_body()
    assert list(module.cache_path().parent.iterdir()) == []
    monkeypatch.setattr(extract, "extract", lambda scratch: arrays)
    assert (load_body().source == tiny.source).all()
    assert replace(tiny).source is tiny.source
