"""Marked clips and pictures, treated as people and platforms treat them, and read again."""

import hashlib
import io

import av
import cv2
import numpy as np
import pytest

from headmime.provenance.watermark import PUBLIC_KEY, detect, embed
from headmime.provenance.watermark.detection import MAX_SECONDS
from headmime.provenance.watermark.embedding import LAYERS, carriers

FPS = 25
PAYLOAD = b"\x07\xa5\x00\xfe"


def clip(height: int = 256, width: int = 256, count: int = 50) -> np.ndarray:
    """A textured ball that wanders over a shaded, grainy wall, uint8 RGB [count, H, W, 3]."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width].astype(np.float32) / min(height, width)
    grain = cv2.GaussianBlur(random.normal(0, 25, (height, width, 3)).astype(np.float32), (0, 0), 2)
    wall = grain + np.stack([90 + 60 * x, 110 + 40 * y, 150 - 50 * x * y], -1)
    frames = []
    for t in np.arange(count) / FPS:
        at_y, at_x = 0.5 + 0.05 * np.sin(2 * t), 0.5 + 0.1 * np.sin(3 * t)
        inside = ((y - at_y) ** 2 + (x - at_x) ** 2 < 0.06)[..., None]
        skin = np.stack([200 + 30 * np.sin(20 * (x - at_x)), 150 + 0 * x, 120 + 0 * x], -1)
        noise = random.normal(0, 1.5, wall.shape)
        frames.append(np.clip(np.where(inside, skin, wall) + noise, 0, 255).astype(np.uint8))
    return np.stack(frames)


@pytest.fixture(scope="module")
def plain() -> np.ndarray:
    return clip()


@pytest.fixture(scope="module")
def marked(plain: np.ndarray) -> list[np.ndarray]:
    return list(embed(plain, PAYLOAD, PUBLIC_KEY, FPS))


def timed(frames, fps: float = FPS):
    return [(frame, number / fps) for number, frame in enumerate(frames)]


def h264(frames, crf: int) -> list[np.ndarray]:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": str(crf)})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def found(frames) -> bool:
    return detect(timed(frames), PUBLIC_KEY).payload == PAYLOAD


def test_number_size_and_type_stay_and_little_changes(plain, marked):
    assert len(marked) == len(plain)
    assert {(one.shape, one.dtype) for one in marked} == {((256, 256, 3), np.dtype(np.uint8))}
    error = np.mean((np.stack(marked).astype(float) - plain) ** 2)
    assert 39 < 10 * np.log10(255**2 / error) < 41


def test_frames_are_marked_as_they_come(plain):
    taken = []

    def source():
        for frame in plain[:3]:
            taken.append(frame)
            yield frame

    stream = embed(source(), PAYLOAD, PUBLIC_KEY, FPS)
    next(stream)
    assert len(taken) == 1
    assert len(list(stream)) == 2
    assert list(embed([], PAYLOAD, PUBLIC_KEY, FPS)) == []


def test_the_payload_is_read_without_errors_from_untouched_frames(marked):
    reading = detect(timed(marked), PUBLIC_KEY)
    assert reading.payload == PAYLOAD
    assert reading.bit_errors < 0.02


def test_nothing_is_read_from_unmarked_frames_or_with_another_key(plain, marked):
    for frames, key in ((plain, PUBLIC_KEY), (marked, b"another key")):
        reading = detect(timed(frames), key)
        assert reading.payload is None and reading.bit_errors is None
        assert reading.hypotheses > 0


def test_a_quarter_of_the_pixels_at_low_quality_is_enough(marked):
    small = [cv2.resize(one, (128, 128), interpolation=cv2.INTER_AREA) for one in marked]
    assert found(h264(small, 28))


@pytest.mark.parametrize("crf", [18, 33])
def test_h264(marked, crf):
    assert found(h264(marked, crf))


@pytest.mark.parametrize(
    ("y", "x", "side"), [(0, 0, 230), (26, 13, 230), (20, 9, 242), (3, 0, 250)]
)
def test_a_cut_picture(marked, y, x, side):
    assert found([one[y : y + side, x : x + side] for one in marked])


def test_a_start_in_the_middle_and_another_frame_rate(marked):
    late = [(frame, at) for frame, at in timed(marked)[7:]]
    halved = timed(marked)[::2]
    for shown in (late, halved):
        assert detect(shown, PUBLIC_KEY).payload == PAYLOAD


def test_darker_and_brighter(marked):
    for gain, offset in ((1.25, 0), (0.8, -10)):
        assert found([np.clip(one * gain + offset, 0, 255).astype(np.uint8) for one in marked])


def test_a_screenshot_of_one_frame(marked):
    shot = cv2.resize(marked[20], (350, 350))
    assert detect([(shot, 0.0)], PUBLIC_KEY).payload == PAYLOAD


@pytest.mark.parametrize(("height", "width"), [(180, 320), (301, 201), (64, 64)])
def test_other_sizes(height, width):
    frames = list(embed(clip(height, width), PAYLOAD, PUBLIC_KEY, FPS))
    assert frames[0].shape == (height, width, 3)
    assert found(frames)


def test_black_and_white_do_not_wrap_around():
    for level in (0, 255):
        frame = np.full((64, 64, 3), level, np.uint8)
        (shown,) = embed([frame], PAYLOAD, PUBLIC_KEY, FPS)
        assert abs(shown.astype(int) - level).max() < 30


def test_a_clip_cut_together_is_read_where_it_is_marked(plain, marked):
    """Four seconds without a mark, then four with one."""
    assert found([*plain, *plain, *marked, *embed(plain, PAYLOAD, PUBLIC_KEY, FPS)])


@pytest.mark.parametrize("times", [[0.0, 12.0], [0.0, 0.0, 0.0], [0.0, 0.1, 15.9, 16.1, 40.0]])
def test_odd_times_are_no_obstacle(times):
    reading = detect([(np.full((9, 700, 3), 80, np.uint8), at) for at in times], PUBLIC_KEY)
    assert reading.payload is None


def test_the_false_alarm_bound_holds_for_the_longest_search():
    frames = np.zeros((int(2 * MAX_SECONDS * 10), 64, 64, 3), np.uint8)
    reading = detect(timed(frames, 10), PUBLIC_KEY)
    assert reading.payload is None
    assert reading.false_alarm == reading.hypotheses / 2**32 <= 1e-6


def test_old_outputs_stay_readable():
    """Waves and phases are a function of the key alone, on every machine and with every version."""
    digest = hashlib.sha256()
    for layer in LAYERS:
        marks = carriers(layer, PUBLIC_KEY)
        digest.update(marks.waves.astype("<i4").tobytes())
        digest.update(np.sign(marks.phases.view(float)).astype("<i4").tobytes())
    assert digest.hexdigest()[:16] == "4a0a6ffd199328bc"
