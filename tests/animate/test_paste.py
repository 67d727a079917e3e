"""The head in the original picture: what must stay, what must fit, and who may not use it."""

import ast
from pathlib import Path

import cv2
import numpy as np
import pytest

import headmime
from headmime.animate.paste import head_mask, paste_frames, tone_offset
from headmime.animate.sources import Scene
from headmime.data.media_reader import read_image
from headmime.landmarks.crop import Crop, crop_box

SIZE = 128


@pytest.fixture(scope="module")
def scene(mona_lisa: Path, mona_pixels: np.ndarray) -> Scene:
    return Scene(read_image(mona_lisa), crop_box(mona_pixels[None]))


def shown(scene: Scene, own: np.ndarray, rendition: np.ndarray, frame: np.ndarray) -> np.ndarray:
    (picture,) = paste_frames(scene, [frame], own[None], own, rendition)
    return picture


def test_what_is_outside_of_the_crop_stays(scene: Scene, mona_landmarks: np.ndarray) -> None:
    black = np.zeros((SIZE, SIZE, 3), np.uint8)
    portrait = scene.crop.cut(scene.image, SIZE)
    picture = shown(scene, mona_landmarks, portrait, black)
    x, y, end = (round(v) for v in (scene.crop.x, scene.crop.y, scene.crop.x + scene.crop.side))
    assert picture.shape == scene.image.shape
    for part in np.s_[:y], np.s_[:, :x], np.s_[:, end + 1 :]:
        assert np.array_equal(picture[part], scene.image[part])
    nose = scene.crop.to_pixels(mona_landmarks)[30].round().astype(int)
    assert picture[nose[1], nose[0]].max() < 10  # and the head is what was made


def test_a_perfect_rendition_changes_next_to_nothing(
    scene: Scene, mona_landmarks: np.ndarray
) -> None:
    portrait = scene.crop.cut(scene.image, 377)  # the crop's own resolution
    picture = shown(scene, mona_landmarks, portrait, portrait)
    assert abs(picture.astype(int) - scene.image).mean() < 2


@pytest.mark.parametrize("tint", [(0.7, 0.7, 0.7), (1.0, 0.8, 0.6), (0.9, 1.0, 1.0)])
def test_colours_are_matched(
    scene: Scene, mona_landmarks: np.ndarray, tint: tuple[float, ...]
) -> None:
    """A generator that sees everything darker or in another light."""
    portrait = scene.crop.cut(scene.image, SIZE)
    tinted = (portrait * np.array(tint)).astype(np.uint8)
    picture = shown(scene, mona_landmarks, tinted, tinted)
    x, y, side = (round(v) for v in (scene.crop.x, scene.crop.y, scene.crop.side))
    inside = np.s_[y : y + side, x : x + side]
    after, before, wanted = (
        cv2.resize(one, (12, 12), interpolation=cv2.INTER_AREA).astype(float)
        for one in (picture[inside], tinted, scene.image[inside])
    )
    assert abs(after - wanted).mean() < 0.25 * abs(before - wanted).mean()


def test_the_mask_has_no_hard_edge_and_holds_every_place_of_the_head(
    mona_landmarks: np.ndarray,
) -> None:
    moved = mona_landmarks + np.array([0.08, 0.02])
    mask = head_mask(np.stack([mona_landmarks, moved]))
    steps = max(abs(np.diff(mask, axis=0)).max(), abs(np.diff(mask, axis=1)).max())
    assert steps < 0.12
    assert max(mask[[0, -1]].max(), mask[:, [0, -1]].max()) == 0
    for face in (mona_landmarks, moved):
        x, y = (face * len(mask)).astype(int).T
        assert mask[y, x].min() > 0.8


def test_offsets_carry_no_features(mona_landmarks: np.ndarray) -> None:
    """One bright spot in the original is spread until nobody sees where it was."""
    original = np.full((SIZE, SIZE, 3), 100, np.uint8)
    spotted = original.copy()
    spotted[60:64, 60:64] = 250
    offset = tone_offset(spotted, original, head_mask(mona_landmarks[None]))
    assert 0 < offset.max() < 15


def test_a_bright_wall_where_hair_was_made_does_not_bleach_the_hair_beside_it(
    mona_landmarks: np.ndarray,
) -> None:
    hair = np.full((SIZE, SIZE, 3), 30, np.uint8)
    original = hair + np.uint8(10)
    original[:, 80:] = 200
    offset = tone_offset(original, hair, head_mask(mona_landmarks[None]))
    assert abs(offset[64, 40] - 10).max() < 1
    assert offset[64, 74].max() < 18


def test_a_crop_that_leaves_the_picture(scene: Scene, mona_landmarks: np.ndarray) -> None:
    corner = Scene(scene.image[120:300, 150:330], Crop(-70, -44, 377))
    portrait = corner.crop.cut(corner.image, SIZE)
    picture = shown(corner, mona_landmarks, portrait, portrait)
    assert picture.shape == (180, 180, 3)


def test_a_scene_can_be_made_smaller(scene: Scene) -> None:
    half = scene.scaled(256)
    assert half.image.shape == (256, 256, 3)
    assert half.crop.side == pytest.approx(scene.crop.side / 2)
    inner = scene.within(Crop(0.25, 0.5, 0.5))
    assert (inner.crop.x, inner.crop.side) == pytest.approx(
        (scene.crop.x + scene.crop.side / 4, scene.crop.side / 2)
    )


def test_nothing_that_scores_can_reach_it() -> None:
    """Walks the imports: a table must not show pasted pixels."""
    package = Path(headmime.__file__).parent
    files = {
        ".".join(("headmime", *file.relative_to(package).with_suffix("").parts)): file
        for file in package.rglob("*.py")
    }
    scoring = ("headmime.evaluation.", "headmime.benchmark.", "headmime.studies.")
    seen: set[str] = set()
    waiting = [name for name in files if name.startswith((*scoring, "headmime.cli.scoring"))]
    while waiting:
        name = waiting.pop()
        if name in seen or name not in files:
            continue
        seen.add(name)
        for node in ast.walk(ast.parse(files[name].read_text())):
            if isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                waiting += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    assert "headmime.animate.person" in seen
    assert "headmime.animate.paste" not in seen
