"""Signed files of every kind: a second of picture and sound, a GIF, a PNG; one signer for all."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from headmime.provenance.credentials import check_signer, sign
from headmime.provenance.signer import Signer, signer_for
from headmime.provenance.statement import (
    Consent,
    Ingredient,
    ProvenanceOptions,
    ProvenanceStatement,
)

MAKING = ProvenanceStatement(
    consent=Consent.LICENSED,
    model_sha256="ab" * 32,
    ingredients=(
        Ingredient("source", "picture", "12" * 32),
        Ingredient("driving", "video", "34" * 32),
    ),
    settings={"method": "feed-forward", "motion": "relative"},
)


@pytest.fixture(scope="session")
def statement() -> ProvenanceStatement:
    return MAKING


@pytest.fixture(scope="session")
def signer(configuration: Path) -> Signer:
    """The local one, made at its first use."""
    signer = signer_for(ProvenanceOptions())
    check_signer(signer)
    return signer


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Unsigned files by their suffix."""
    folder = tmp_path_factory.mktemp("plain")
    rng = np.random.default_rng(0)
    frames = [np.kron(rng.integers(0, 255, (8, 8, 3), np.uint8), np.ones((8, 8, 1), np.uint8))] * 2
    frames += [np.roll(frames[0], 9 * k, 1) for k in range(23)]
    still, *more = [Image.fromarray(frame) for frame in frames]
    still.save(folder / "a.gif", save_all=True, append_images=more[:5], duration=40)
    still.save(folder / "a.png")
    still.save(folder / "a.jpg")
    with av.open(str(folder / "a.mp4"), "w", options={"movflags": "+faststart"}) as container:
        video = container.add_stream("libx264", rate=25)
        video.height, video.width, video.pix_fmt = 64, 64, "yuv420p"
        audio = container.add_stream("aac", rate=16000, layout="mono")
        for frame in frames:
            container.mux(video.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        noise = rng.uniform(-0.5, 0.5, (1, 16000)).astype(np.float32)
        sound = av.AudioFrame.from_ndarray(noise, format="fltp", layout="mono")
        sound.sample_rate, sound.pts, sound.time_base = 16000, 0, Fraction(1, 16000)
        container.mux(audio.encode(sound))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return {file.suffix: file for file in folder.iterdir()}


@pytest.fixture(scope="session")
def signed(
    plain: dict[str, Path], signer: Signer, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """The same with credentials; do not change them."""
    folder = tmp_path_factory.mktemp("signed")
    files = {suffix: folder / f"a{suffix}" for suffix in (".mp4", ".gif", ".png")}
    for suffix, file in files.items():
        sign(plain[suffix], file, MAKING, signer)
    return files
