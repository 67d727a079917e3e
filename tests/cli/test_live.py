"""`headmime live`, from a file played as a camera to a film."""

import re
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from headmime.assets import MONA_LISA
from headmime.cli import main
from headmime.data.image_reader import read_image
from headmime.data.video_reader import read_video_info


def words(mona_lisa: Path, driving: str, out: Path, weights: Path) -> list[str]:
    return [
        "live",
        f"source={mona_lisa}",
        f"driving={driving}",
        f"out={out}",
        f"weights={weights}",
        "consent=public-domain",
        "finetune=none",
        "device=cpu",
    ]


@pytest.mark.slow
def test_a_film_of_a_film(
    tmp_path: Path,
    mona_lisa: Path,
    tiny_weights: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, driving = tmp_path / "live [1].mp4", tmp_path / "driving.mp4"
    picture = read_image(mona_lisa)[:512:2, :512:2]
    frames = np.stack([np.roll(picture, k, 0) for k in range(20)])
    iio.imwrite(driving, frames, plugin="pyav", codec="libx264", fps=10)
    assert main(words(mona_lisa, str(driving), out, tiny_weights)) == 0
    path, pace = capsys.readouterr().out.splitlines()[-2:]
    assert path == str(out) and read_video_info(out).width == 256
    assert re.fullmatch(r"[\d.]+ frames/s, latency \d+ ms \(95 %: \d+ ms\), \d+ dropped", pace)


@pytest.mark.parametrize(
    ("driving", "out", "said"),
    [
        ("gone.mp4", "a.mp4", "no such file; give webcam"),
        (str(MONA_LISA), "a.mp4", "is one image"),
        ("98", "a.mp4", "no such camera"),
        ("webcam", "a.gif", "should be window or end in .mp4"),
    ],
)
def test_what_cannot_be_is_said_before_any_work(
    driving: str,
    out: str,
    said: str,
    tmp_path: Path,
    mona_lisa: Path,
    tiny_weights: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(words(mona_lisa, driving, tmp_path / out, tiny_weights)) == 1
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
