"""The names of the Python API, together."""

from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import headmime
from headmime.animate.api import choose_detector
from headmime.animate.model import Model
from headmime.animate.person import Person, finetune_settings
from headmime.animate.sound import RATE, Playback, Sound
from headmime.errors import HeadmimeError
from headmime.landmarks.faces import Detector
from headmime.nets import Nets
from headmime.nets.checkpoint import save_nets
from headmime.nets.shape import ModelShape


def test_from_a_picture_to_a_video(
    model: Model, mona_lisa: Path, moving: Path, dlib: Detector, tmp_path: Path
) -> None:
    person = headmime.personalise(
        model, [mona_lisa], finetune=None, consent="public-domain", detector=dlib
    )
    animation = headmime.animate(person, moving, detector=dlib)
    assert len(animation) == 12
    assert repr(model) == "<Model 000000000000: 16 x 16 pixels, landmarks by dlib, on cpu>"
    assert repr(person) == (
        "<Person: feed-forward on 1 frame(s), 16 x 16 pixels, consent=public-domain>"
    )
    assert repr(animation) == (
        "<Animation: 12 frames, 25 a second, 0.5 s, relative motion, output=crop>"
    )
    with Image.open(BytesIO(person._repr_png_())) as portrait:
        assert np.array_equal(np.asarray(portrait), person.portrait)
    path = headmime.save(animation, tmp_path / "her.gif")
    with Image.open(path) as gif:
        assert gif.size == (256, 256)
    assert b"consent=public-domain" in path.read_bytes()


def test_a_missing_model_is_named() -> None:
    with pytest.raises(HeadmimeError, match="weights=nothing: nothing.safetensors is missing"):
        headmime.load("nothing")


def test_the_detector_is_the_model_s_unless_the_user_insists(
    dlib: Detector, caplog: pytest.LogCaptureFixture
) -> None:
    assert choose_detector(None, "dlib").name == "dlib"
    assert choose_detector(dlib, "dlib") is dlib
    assert not caplog.messages
    assert choose_detector(dlib, "face-alignment") is dlib
    warning = "detector=dlib, but the model was trained with landmarks of face-alignment"
    assert warning in caplog.text


def test_steps_and_frames_are_told(model: Model, mona_lisa: Path, dlib: Detector, tmp_path: Path):
    person = headmime.personalise(model, [mona_lisa], finetune="none", detector=dlib)
    motion = tmp_path / "m.npz"
    np.savez(motion, landmarks=np.repeat(person.neutral[None], 5, 0), fps=25.0)
    told = []
    animation = headmime.animate(person, motion)
    headmime.save(animation, tmp_path / "a.mp4", on_frame=lambda done, total: told.append(done))
    assert told == [1, 2, 3, 4, 5]


@pytest.fixture
def beeping(tmp_path: Path, mona_lisa: Path) -> Path:
    """The painting for 1.2 s, 25 a second, in a file whose clock starts late; a beep from 0.8 s."""
    picture = np.asarray(Image.open(mona_lisa).convert("RGB").resize((256, 256)))
    path = tmp_path / "beeping.mkv"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width = video.height = 256
        audio = container.add_stream("pcm_s16le", rate=48000, layout="mono")
        for k in range(30):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = k + 10, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        time = np.arange(57600) / 48000
        beep = (16000 * np.sin(2000 * np.pi * time) * (time >= 0.8)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(beep[None], "s16", "mono")
        frame.rate, frame.pts, frame.time_base = 48000, 19200, Fraction(1, 48000)
        container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    return path


@pytest.fixture
def person(model: Model, mona_lisa: Path, dlib: Detector) -> Person:
    return headmime.personalise(model, [mona_lisa], finetune="none", consent="own", detector=dlib)


@pytest.mark.parametrize(
    ("keys", "seconds", "heard"),
    [
        ({}, 1.2, 0.8),
        ({"start": 0.4}, 0.8, 0.4),
        ({"start": 0.4, "end": 1.0, "fps": 10}, 0.6, 0.4),
        ({"fps": 60}, 1.2, 0.8),
    ],
)
def test_sound_stays_with_the_picture(
    person: Person,
    beeping: Path,
    dlib: Detector,
    tmp_path: Path,
    keys: dict[str, float],
    seconds: float,
    heard: float,
) -> None:
    """Trimmed, at another frame rate, and from a file that does not start at zero."""
    animation = headmime.animate(person, beeping, detector=dlib, **keys)
    out = headmime.save(animation, tmp_path / "o.mp4", size=64)
    with av.open(str(out)) as container:
        video = container.streams.video[0]
        assert (video.width, video.height) == (64, 64)
        assert float(video.duration * video.time_base) == pytest.approx(seconds, abs=0.001)
        assert video.average_rate == keys.get("fps", 25)
    samples = Playback(Sound(out)).take(round(seconds * RATE))
    assert np.flatnonzero(abs(samples[0]) > 0.05)[0] / RATE == pytest.approx(heard, abs=0.005)


def test_silence_or_another_file(
    person: Person, beeping: Path, moving: Path, dlib: Detector, tmp_path: Path
) -> None:
    silent = headmime.animate(person, beeping, detector=dlib, audio="none")
    assert silent.sound is None
    other = headmime.animate(person, moving, detector=dlib, audio=beeping)
    assert other.sound == Sound(beeping)
    with pytest.raises(HeadmimeError, match=r"moving\.mp4: the file has no sound"):
        headmime.animate(person, "talk", audio=moving)


def test_the_whole_picture(person: Person, moving: Path, dlib: Detector, tmp_path: Path) -> None:
    animation = headmime.animate(person, moving, detector=dlib, output="full", end=0.1)
    with av.open(str(headmime.save(animation, tmp_path / "o.mp4"))) as container:
        (video,) = container.streams
        assert (video.width, video.height) == (512, 512)  # as the painting


def test_recipes_are_those_of_the_command_line() -> None:
    assert finetune_settings("none") is None
    assert [finetune_settings("fast").steps(T) for T in (1, 4, 8, 32)] == [100, 100, 200, 200]
    paper = finetune_settings("paper")
    assert (paper.epochs, paper.discriminator_steps) == (40, 2)
    with pytest.raises(HeadmimeError, match="finetune=much is not known; choose one of default"):
        finetune_settings("much")


def test_fine_tuning_is_what_happens_without_a_wish(
    model: Model, mona_lisa: Path, dlib: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(
        headmime.animate.api, "person_from_images", lambda *given: asked.append(given)
    )
    headmime.personalise(model, [mona_lisa], detector=dlib)
    assert asked[0][2] == finetune_settings("fast")
    assert asked[0][3].origin  # the frozen networks that come with the installation


@pytest.mark.parametrize("output", ["crop", "full"])
def test_one_image_drives_and_the_result_is_one(
    person: Person,
    mona_lisa: Path,
    dlib: Detector,
    tmp_path: Path,
    output: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its landmarks are used as they are, and the log says so."""
    with caplog.at_level("INFO"):
        animation = headmime.animate(person, mona_lisa, detector=dlib, output=output)
    assert "mona_lisa.jpg is one image" in caplog.text and "(motion=absolute)" in caplog.text
    assert animation.statement.settings["motion"] == "absolute"
    (frame,) = animation  # driven by the person's own portrait
    if output == "crop":
        own = person.animator(person.neutral[None])[0]
        assert abs(frame.astype(int) - own).mean() < 1
    path = headmime.save(animation, tmp_path / "o.png", size=128)
    with Image.open(path) as image:
        assert image.size == (128, 128)  # no contact sheet
        assert image.text["Comment"].startswith("AI-generated by headmime")
    assert '<img src="data:image/png;base64,' in animation._repr_html_()
    with pytest.raises(HeadmimeError, match=r"out=o\.mp4: driven by one image, .* end in \.png"):
        headmime.save(animation, tmp_path / "o.mp4")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"motion": "relative"}, "motion=relative needs a neutral frame"),
        ({"strength": headmime.Strength(mouth=2)}, "needs motion=relative"),
        ({"fps": 25}, "fps= cannot be used: the driving is one image"),
        ({"start": 1.0, "end": 2.0}, "start=, end= cannot be used"),
    ],
)
def test_what_one_image_has_not_is_refused(
    person: Person, mona_lisa: Path, dlib: Detector, given: dict[str, object], said: str
) -> None:
    with pytest.raises(HeadmimeError, match=said):
        headmime.animate(person, mona_lisa, detector=dlib, **given)


def test_an_image_without_a_face_drives_nobody(
    person: Person, dlib: Detector, tmp_path: Path
) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "wall.png")
    with pytest.raises(HeadmimeError, match=r"wall\.png: no face was found"):
        headmime.animate(person, tmp_path / "wall.png", detector=dlib)


def test_a_strength_is_recorded_where_it_is_not_as_driven(person: Person) -> None:
    plain = headmime.animate(person, "talk")
    strong = headmime.animate(person, "talk", strength=headmime.Strength(head=0, mouth=1.5))
    assert "strength" not in plain.statement.settings
    assert strong.statement.settings["strength"] == "head=0, mouth=1.5"
    assert not np.array_equal(plain.landmarks, strong.landmarks)


def test_weights_without_a_detector_are_named(nets: Nets, tiny: ModelShape, tmp_path: Path) -> None:
    save_nets(tmp_path / "old", nets, tiny, {"origin": {}})
    with pytest.raises(HeadmimeError, match=r"old\.json names no detector"):
        headmime.load(tmp_path / "old", "cpu")
