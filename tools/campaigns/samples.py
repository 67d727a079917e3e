"""Small clean files of every kind that headmime reads, made anew in a folder."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
from PIL import Image

from headmime.animate import api
from headmime.animate.animation import save
from headmime.animate.driving import MOTIONS_FOLDER, load_template, trim, write_template
from headmime.animate.model import load
from headmime.assets import MONA_LISA
from headmime.data.shards import ClipFrames, finish_store, write_shard
from headmime.landmarks.crop import Crop
from headmime.landmarks.faces import Face
from headmime.learning.checkpoint_io import AtomicCheckpointIO
from headmime.nets import build_nets
from headmime.nets.checkpoint import save_nets
from headmime.nets.shape import ModelShape
from headmime.provenance.signer import local_folder

TINY = ModelShape(
    image_size=16, width=4, max_width=8, generator_levels=2, bottleneck_blocks=1, attention_down=8,
    attention_up=8,
)  # fmt: skip
SIDE, FRAMES, RATE = 64, 12, 25
IMAGES = ("jpg", "png", "webp", "avif", "gif", "tif", "bmp")
VIDEOS = {
    "mp4": ("libx264", "aac"),
    "mkv": ("libx264", "libopus"),
    "webm": ("libvpx-vp9", "libopus"),
    "ts": ("mpeg2video", "mp2"),
    "avi": ("mpeg4", "libmp3lame"),
}
SOUNDS = {"wav": "pcm_s16le", "mp3": "libmp3lame", "flac": "flac", "ogg": "libopus", "m4a": "aac"}


class FixedFace:
    """A detector that finds a face in the middle of every frame: what is tested are the readers."""

    name, batch = "dlib", 1

    def __init__(self) -> None:
        self.points = load_template(MOTIONS_FOLDER / "talk.npz").landmarks[0]

    def detect(self, frames: Sequence[np.ndarray]) -> list[list[Face]]:
        """One face in each."""
        return [[self._face(frame)] for frame in frames]

    def follow(self, frame: np.ndarray, face: Face) -> Face:
        """Where it was found."""
        return self._face(frame)

    def _face(self, frame: np.ndarray) -> Face:
        height, width = frame.shape[:2]
        pixels = (self.points * min(height, width)).astype(np.float32)
        return Face(pixels, 1.0, (0.0, 0.0, float(width), float(height)))


def make_samples(folder: Path) -> None:
    """Write images/, videos/, sounds/, driver.mp4, motion.npz, weights/, person/, store/, signed/,
    signing/ and state/ into `folder`.
    """
    painting = Image.open(MONA_LISA).convert("RGB").crop((0, 0, 512, 512))
    (folder / "images").mkdir(parents=True)
    for suffix in IMAGES:
        painting.resize((96, 96)).save(folder / "images" / f"a.{suffix}")
    nested = painting.resize((96, 96)).convert("RGBA")
    profile = Image.open(MONA_LISA).info.get("icc_profile")
    nested.save(folder / "images" / "profile.png", icc_profile=profile, dpi=(72, 72))
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "turned"
    painting.resize((96, 64)).save(folder / "images" / "turned.jpg", exif=exif)
    frames = [np.roll(painting.resize((SIDE, SIDE)), shift, 0) for shift in range(FRAMES)]
    for kind in ("videos", "sounds", "signed"):
        (folder / kind).mkdir()
    for suffix, codecs in VIDEOS.items():
        write_clip(folder / "videos" / f"a.{suffix}", frames, *codecs)
    for suffix, codec in SOUNDS.items():
        write_clip(folder / "sounds" / f"a.{suffix}", [], None, codec)
    write_clip(folder / "driver.mp4", [painting.resize((192, 192))] * 6, "libx264", None)
    talk = trim(load_template(MOTIONS_FOLDER / "talk.npz"), 0, 0.4)
    write_template(folder / "motion.npz", talk)
    torch.manual_seed(0)
    nets = build_nets(TINY)
    save_nets(folder / "weights" / "tiny", nets, TINY, {"detector": "dlib", "origin": {}})
    person = api.personalise(
        load(folder / "weights" / "tiny", "cpu"), [MONA_LISA], 1, None, consent="own",
        detector=FixedFace(),
    )  # fmt: skip
    person.save(folder / "person" / "me")
    moved = api.animate(person, folder / "motion.npz")
    for suffix in ("mp4", "gif", "png"):
        save(moved, folder / "signed" / f"a.{suffix}", 64)
    write_store(folder / "store")
    (folder / "signing").mkdir()
    for file in local_folder().iterdir():
        (folder / "signing" / file.name).write_bytes(file.read_bytes())
    state = {
        "callbacks": {"Keep": {"seen": 3}},
        "state_dict": {f"rows.{k}": torch.zeros(3) for k in "ab"},
    }
    AtomicCheckpointIO().save_checkpoint(state, folder / "state" / "last.ckpt")


def write_clip(
    path: Path, frames: Sequence[np.ndarray], video: str | None, audio: str | None
) -> None:
    """Encode frames at 25 a second, and half a second of a tone."""
    with av.open(str(path), "w") as container:
        streams = []
        if video:
            picture = container.add_stream(video, rate=RATE)
            picture.width, picture.height = np.asarray(frames[0]).shape[1::-1]
            picture.pix_fmt = "yuv420p"
            streams.append((picture, (av.VideoFrame.from_ndarray(np.asarray(f)) for f in frames)))
        if audio:
            sound = container.add_stream(audio, rate=48_000, layout="stereo")
            streams.append((sound, _tone(sound.format.name)))
        for stream, parts in streams:
            for number, part in enumerate(parts):
                if stream.type == "video":
                    part.pts, part.time_base = number, Fraction(1, RATE)
                container.mux(stream.encode(part))
            container.mux(stream.encode(None))


def _tone(layout: str):
    wave = np.sin(np.arange(24_000) / 20).astype(np.float32)[None].repeat(2, 0)
    frame = av.AudioFrame.from_ndarray(wave, "fltp", "stereo")
    frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
    return av.AudioResampler(layout, "stereo", 48_000).resample(frame)


def write_store(folder: Path, people: int = 5, size: int = 16) -> None:
    """Two shards of random frames; the first person is the split "test"."""
    for shard in (0, 1):
        numbers = range(shard, people, 2)
        write_shard(folder, shard, (_clip(person, size) for person in numbers))
    finish_store(folder)


def _clip(person: int, size: int) -> ClipFrames:
    chance, n = np.random.default_rng(person), 4
    return ClipFrames(
        person=f"person {person}", video="video", clip="clip", source=f"{person}.mp4", fps=25.0,
        split="test" if person == 0 else "train", crop=Crop(0.0, 0.0, 64.0), detector="dlib",
        frames=iter(chance.integers(0, 255, (n, size, size, 3), dtype=np.uint8)),
        landmarks=chance.uniform(0.2, 0.8, (n, 68, 2)).astype(np.float32),
        times=np.arange(n) / 25, scores=np.ones(n),
    )  # fmt: skip
