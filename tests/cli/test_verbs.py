"""`headmime animate`, `finetune` and `demo`, from the command line to the files."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from headmime.animate import animation
from headmime.cli import main
from headmime.data.image_reader import read_image

QUICK = ["finetune.minimum_steps=2", "finetune.epochs=0", "device=cpu"]
ODD = "my clip, [take 1]=é 'final'"


@pytest.fixture
def run(
    tmp_path: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, list[str]]]:
    """Run `headmime <words>` in an empty folder: its exit code, and what the folder holds then."""
    monkeypatch.chdir(tmp_path)

    def headmime(verb: str, *words: str) -> tuple[int, list[str]]:
        given = any(word.startswith(("weights=", "person=")) for word in words)
        code = main([verb, *words, *([] if given else [f"weights={tiny_weights}"])])
        return code, sorted(os.listdir(tmp_path))

    return headmime


def frames_of(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_animate_one_portrait_fine_tuned(
    run: Callable, tmp_path: Path, mona_lisa: Path, motion: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = f"{ODD}.mp4"
    words = [f"source={mona_lisa}", f"driving={motion}", f"out={out}", "consent=public-domain"]
    assert run("animate", *words, *QUICK) == (0, [out])
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == str(tmp_path / out)
    with av.open(str(tmp_path / out)) as container:
        assert container.streams.video[0].average_rate == 12
        assert container.metadata["comment"].endswith("consent=public-domain")
    frames = frames_of(tmp_path / out)
    assert [frame.shape for frame in frames] == [(256, 256, 3)] * 9


def test_odd_names_everywhere(
    run: Callable, tmp_path: Path, mona_lisa: Path, motion: Path, tiny_weights: Path
) -> None:
    """Sources (repeated), driving, weights and output in a folder and with names of all kinds."""
    odd = tmp_path / ODD
    odd.mkdir()
    picture = Image.open(mona_lisa)
    for name in ("a b.jpg", "x,y.jpg", "[z].jpg", "k=v.jpg"):
        picture.save(odd / name)
    (odd / "m,o.npz").write_bytes(motion.read_bytes())
    for suffix in (".json", ".safetensors"):
        (odd / f"w [1]{suffix}").write_bytes(tiny_weights.with_suffix(suffix).read_bytes())
    words = [f"source={odd}/{name}" for name in ("a b.jpg", "x,y.jpg", "[z].jpg", "k=v.jpg")]
    words += [f"driving={odd}/m,o.npz", f"out={odd}/o{{u}}t.gif", f"weights={odd}/w [1]"]
    assert run("animate", *words, "finetune=none", "consent=own")[0] == 0
    assert (odd / "o{u}t.gif").is_file()


def test_photos_and_video_driven_by_a_video(run: Callable, tmp_path: Path, mona_lisa: Path) -> None:
    """The person from a folder with a picture and a clip, driven by the clip."""
    (tmp_path / "her").mkdir()
    picture = read_image(mona_lisa)
    with av.open(str(tmp_path / "her" / "clip.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "12"})
        stream.height = stream.width = 256
        stream.pix_fmt = "yuv420p"
        for k in range(6):
            part = np.ascontiguousarray(picture[: 512 - 6 * k : 2, 6 * k :: 2])
            part = np.asarray(Image.fromarray(part).resize((256, 256)))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(part, format="rgb24")))
        container.mux(stream.encode(None))
    Image.open(mona_lisa).save(tmp_path / "her" / "photo.png")
    words = ["source=her", "driving=her/clip.mp4", "out=out.mp4", "T=3", "finetune=none"]
    words += ["consent=research", "motion=absolute", "detector=dlib"]
    assert run("animate", *words) == (0, ["her", "out.mp4"])
    assert len(frames_of(tmp_path / "out.mp4")) == 6


def test_finetune_keeps_a_person_for_animate(
    run: Callable, tmp_path: Path, mona_lisa: Path, motion: Path
) -> None:
    words = [f"source={mona_lisa}", "out=people/mona lisa", "consent=public-domain"]
    assert run("finetune", *words, *QUICK) == (0, ["people"])
    assert sorted(os.listdir(tmp_path / "people")) == ["mona lisa.json", "mona lisa.safetensors"]
    record = json.loads((tmp_path / "people" / "mona lisa.json").read_text())
    assert record["consent"] == "public-domain"
    assert str(mona_lisa) not in json.dumps(record)  # nothing of the user's files is told
    words = ["person=people/mona lisa", f"driving={motion}", "out=out.mp4"]
    assert run("animate", *words) == (0, ["out.mp4", "people"])
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.metadata["comment"].endswith("consent=public-domain")


def test_fine_tuning_is_repeatable(
    run: Callable, tmp_path: Path, mona_lisa: Path, motion: Path
) -> None:
    bare = ("provenance.watermark=false", "provenance.credentials=false")  # these are never alike
    words = [f"source={mona_lisa}", f"driving={motion}", *QUICK, *bare]
    for name, seed in [("a", 1), ("b", 1), ("c", 2)]:
        assert run("animate", *words, f"out={name}.mp4", f"seed={seed}")[0] == 0
    a, b, c = ((tmp_path / f"{name}.mp4").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_a_contact_sheet(run: Callable, tmp_path: Path, mona_lisa: Path, motion: Path) -> None:
    words = [f"source={mona_lisa}", f"driving={motion}", "out=sheet.png", "finetune=none"]
    assert run("animate", *words) == (0, ["sheet.png"])
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.text["Comment"] == "AI-generated by headmime; consent=public-domain"
        assert sheet.width > 1000


def test_one_image_drives_an_image(run: Callable, tmp_path: Path, mona_lisa: Path) -> None:
    words = [f"source={mona_lisa}", f"driving={mona_lisa}", "finetune=none"]
    assert run("animate", *words, "out=o.png") == (0, ["o.png"])
    with Image.open(tmp_path / "o.png") as image:
        assert image.width == image.height >= 256  # a crop, no contact sheet
    assert run("animate", *words, "out=o.mp4") == (1, ["o.png"])


def test_strengths_change_what_is_written(
    run: Callable, tmp_path: Path, mona_lisa: Path, motion: Path
) -> None:
    bare = ("provenance.watermark=false", "provenance.credentials=false")  # these are never alike
    words = [f"source={mona_lisa}", f"driving={motion}", "finetune=none", *bare]
    for name, more in [("a", []), ("b", ["strength.mouth=1"]), ("c", ["strength.mouth=0.5"])]:
        assert run("animate", *words, f"out={name}.mp4", *more)[0] == 0
    a, b, c = ((tmp_path / f"{name}.mp4").read_bytes() for name in "abc")
    assert a == b
    assert a != c
    assert run("animate", *words, "out=d.mp4", "strength.mouth=-1")[0] == 1


def test_demo(
    run: Callable, tmp_path: Path, motion: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("demo", f"driving={motion}", "out=my demo", *QUICK) == (0, ["my demo"])
    names = ["mona_lisa.gif", "mona_lisa.mp4", "mona_lisa.png"]
    assert sorted(os.listdir(tmp_path / "my demo")) == names
    said = capsys.readouterr()
    last = said.out.splitlines()[-3:]
    assert [line.split("  ")[0] for line in last] == [
        str(tmp_path / "my demo" / f"mona_lisa.{suffix}") for suffix in ("mp4", "gif", "png")
    ]
    assert "Fine-tuning" in said.err


@pytest.mark.parametrize("verb", ["animate", "finetune", "demo"])
def test_pictures_of_the_user_s_own_need_a_statement(
    run: Callable,
    tmp_path: Path,
    mona_lisa: Path,
    motion: Path,
    verb: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "me.jpg").write_bytes(mona_lisa.read_bytes())
    words = {"animate": ["out=o.mp4", f"driving={motion}"], "finetune": ["out=o"], "demo": []}
    code, left = run(verb, "source=me.jpg", *words[verb])
    assert (code, left) == (1, ["me.jpg"])
    assert "consent= is missing: state why you may animate this person" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["source=nobody.jpg"], "source=nobody.jpg: there is no such file"),
        (["driving=nothing.mp4"], "driving=nothing.mp4: there is no such file"),
        (["weights=none"], "weights=none: none.safetensors is missing"),
        (["out=out.avi"], "out=out.avi: the name must end in .mp4"),
        (["out="], "out= is missing"),
        (["driving="], "driving= is missing"),
        (["T=0"], "T=0 is not a number of frames"),
        (["T=some"], "T=some is not a number of frames"),
        (["size=0"], "size=0 should be from 16 to 8192 pixels"),
        (["consent=yes"], "consent=yes is not known"),
        (["motion=wild"], "motion=wild is not known"),
        (["output=whole"], "output=whole is not known; choose one of crop, full"),
        (["fps=0"], "fps=0.0 should be from 1 to 120"),
        (["start=-1"], "start=-1.0 should be 0 or more"),
        (["start=2", "end=1"], "end=1.0 should be later than start=2.0"),
        (["audio=song.mp3"], "audio=song.mp3: there is no such file; give none, driving or a file"),
        (["provenance.cert=me.pem"], "provenance.cert= and provenance.key= belong together"),
        (["provenance.colour=red"], "colour"),
        (["device=gpu9"], "device=gpu9 cannot be used here"),
        (["detector=eyes"], "dlib face-alignment"),
        (["person=me"], "either source= (images, videos) or person="),
        (["source="], "either source= (images, videos) or person="),
        (["source=", "person=me"], "person=me: me.safetensors is missing"),
    ],
)
def test_what_is_missing_or_misspelt_is_said_before_any_work(
    run: Callable,
    tmp_path: Path,
    mona_lisa: Path,
    motion: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    def too_late(*_: object, **__: object) -> None:
        raise AssertionError("networks were loaded, or pictures looked at, before the check")

    monkeypatch.setattr("headmime.cli.person.load", too_late)
    monkeypatch.setattr("headmime.cli.person.personalise", too_late)
    good = {"source": str(mona_lisa), "driving": str(motion), "out": "out.mp4"}
    good |= dict(word.split("=", 1) for word in words)
    code, left = run("animate", *[f"{key}={value}" for key, value in good.items()])
    error = capsys.readouterr().err
    assert code != 0
    assert said in error
    assert "Traceback" not in error
    assert left == []


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError])
def test_stopping_leaves_nothing_half_written(
    run: Callable,
    tmp_path: Path,
    mona_lisa: Path,
    motion: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stop: type,
) -> None:
    """Stopped in the middle of the frames (Ctrl-C, or a bug of ours)."""

    def stopping(items: object, total: int | None, on_frame: object) -> object:
        for k, item in enumerate(items):
            if k == 5:
                raise stop
            yield item

    monkeypatch.setattr(animation, "report_progress", stopping)
    words = ["animate", f"source={mona_lisa}", f"driving={motion}", "out=out.mp4", "finetune=none"]
    if stop is KeyboardInterrupt:
        assert run(*words) == (130, [])
        assert capsys.readouterr().err.endswith("Stopped.\n")
    else:
        with pytest.raises(RuntimeError):
            run(*words)
        assert os.listdir(tmp_path) == []
