"""A flash and a beep at the same moment stay together."""

import tracemalloc
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from headmime.animate.media_writer import encode
from headmime.animate.sound import RATE, Jump, Playback, Sound, has_sound


def sound_track(path: Path, rate: int = 44100, layout: str = "mono", codec: str = "aac") -> Path:
    """Three seconds of silence but for a beep from 1.0 to 1.2 seconds."""
    time = np.arange(3 * rate) / rate
    beep = np.where((time >= 1) & (time < 1.2), 0.5 * np.sin(2000 * np.pi * time), 0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        channels = stream.codec_context.layout.nb_channels
        planes = np.repeat(beep[None], channels, 0).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(planes, "fltp", layout)
        frame.rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def onset(samples: np.ndarray) -> float:
    """Seconds until the beep in [2, n] samples."""
    return float(np.flatnonzero(abs(samples[0]) > 0.1)[0]) / RATE


@pytest.fixture(scope="module")
def beep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sound_track(tmp_path_factory.mktemp("beep") / "beep.m4a")


@pytest.mark.parametrize("start", [0.0, 0.5, 0.9, -0.5])
def test_a_sound_plays_from_where_it_is_asked_to(beep: Path, start: float) -> None:
    samples = Playback(Sound(beep, start)).take(2 * RATE)
    assert samples.shape == (2, 2 * RATE)
    assert onset(samples) == pytest.approx(1 - start, abs=0.002)


@pytest.mark.parametrize(
    ("name", "rate", "layout", "codec"),
    [("a.wav", 8000, "mono", "pcm_s16le"), ("a.mka", 48000, "stereo", "flac")],
)
def test_of_any_kind(tmp_path: Path, name: str, rate: int, layout: str, codec: str) -> None:
    path = sound_track(tmp_path / name, rate, layout, codec)
    assert onset(Playback(Sound(path)).take(2 * RATE)) == pytest.approx(1, abs=0.003)


def test_it_does_not_matter_in_which_pieces_it_is_taken(beep: Path) -> None:
    pieces = Playback(Sound(beep, 0.7))
    together = np.concatenate([pieces.take(n) for n in (1, 4000, 1601, 30000)], 1)
    assert np.array_equal(together, Playback(Sound(beep, 0.7)).take(35602))


def test_silence_after_its_end(beep: Path) -> None:
    samples = Playback(Sound(beep, 2.5)).take(RATE)
    assert samples.shape == (2, RATE)
    assert abs(samples).max() < 0.01


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30000, 1001), Fraction(60), Fraction(10)])
def test_flash_and_beep_stay_together_at_any_frame_rate(
    beep: Path, tmp_path: Path, fps: Fraction
) -> None:
    """The flash is within half a frame of 1 s after rounding; the sound is not rounded at all."""
    count, start = round(2 * fps), 0.25
    lit = [abs(k / fps - Fraction(3, 4)) <= 1 / (2 * fps) for k in range(count)]
    frames = (np.full((32, 32, 3), 255 * flash, np.uint8) for flash in lit)
    encode(tmp_path / "o.mp4", frames, fps, "", Sound(beep, start))
    with av.open(str(tmp_path / "o.mp4")) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert video.duration * video.time_base == count / fps
        assert float(audio.duration * audio.time_base) == pytest.approx(count / fps, abs=1e-3)
        bright = [
            f.time for f in container.decode(video) if f.to_ndarray(format="rgb24").mean() > 128
        ]
    heard = onset(Playback(Sound(tmp_path / "o.mp4")).take(2 * RATE))
    assert heard == pytest.approx(0.75, abs=0.003)
    assert abs(bright[0] - heard) <= 0.5 / fps + 0.003


def test_what_has_no_sound(tmp_path: Path, moving: Path, beep: Path) -> None:
    assert has_sound(beep)
    assert not has_sound(moving)
    (tmp_path / "torn.wav").write_bytes(b"torn")
    assert not has_sound(tmp_path / "torn.wav")


def test_sound_that_cannot_be_had_is_silent_and_said(
    tmp_path: Path, moving: Path, failing: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "torn.wav").write_bytes(b"torn")
    for file, said in (
        (moving, "moving.mp4 has no sound"),
        (tmp_path / "torn.wav", "torn.wav: its sound cannot be read"),
        (failing / "unknown_audio.mp4", "unknown_audio.mp4"),
    ):
        assert not has_sound(file)
        assert not Playback(Sound(file)).take(100).any()
        assert said in caplog.text


def loudness(sound: Sound, seconds: int = 4) -> list[bool]:
    """Of each half second, whether something is heard."""
    samples = Playback(sound).take(seconds * RATE).reshape(2, 2 * seconds, RATE // 2)
    return (abs(samples).max((0, 2)) > 0.05).tolist()


@pytest.mark.parametrize(
    "name, halves",
    [
        ("audio_switch.ts", 4),  # 44.1 kHz mono becomes 48 kHz stereo
        ("mixed.aac", 3),
        ("concat_same.ts", 6),  # its clock goes back twice
        ("audiojump1h.mkv", 1),  # then an hour of silence
    ],
)
def test_a_track_that_changes_or_jumps(failing: Path, name: str, halves: int) -> None:
    heard = loudness(Sound(failing / name))
    assert heard[:halves] == [True] * halves and not any(heard[halves + 1 :])


def test_silence_is_made_in_small_blocks(failing: Path) -> None:
    playback = Playback(Sound(failing / "audiojump1h.mkv"))
    tracemalloc.start()
    for _ in range(120):
        playback.take(RATE // 2)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_a_jump_that_the_video_leaves_out_is_left_out(tmp_path: Path) -> None:
    """A tone until 0.5 s, 20 s of silence, a tone: with the jump of the video they touch."""
    silence, tone = np.zeros(20 * RATE), np.sin(np.arange(RATE // 2) * 0.06)
    samples = (np.concatenate([tone, silence, tone]) * 20000).astype(np.int16)
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, RATE, len(samples), "NONE", ""))
        file.writeframes(samples.tobytes())
    jump = Jump(0.46, 20.5, 20.0)
    assert loudness(Sound(tmp_path / "a.wav", jumps=(jump,)), 2) == [True, True, False, False]


def test_tags_need_not_be_unicode(failing: Path) -> None:
    assert has_sound(failing / "found" / "tag_not_utf8.webm")
