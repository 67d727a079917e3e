"""A few hundred damaged files: every one is accounted for, and the whole ones are stored."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np

from headmime.data.preprocess.clips import ClipSettings
from headmime.data.preprocess.layouts import assign_splits, list_sources
from headmime.data.preprocess.run import make_plan, preprocess
from headmime.data.preprocess.shard_tasks import write_task
from headmime.data.store import Store

FILES = 300


def flipped(content: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(chance.randint(1, 40)):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


DAMAGES: list[Callable[[bytes, random.Random], bytes]] = [
    flipped,
    lambda content, chance: content[: chance.randrange(len(content))],
    lambda content, chance: content[chance.randrange(1, len(content)) :],
    lambda content, chance: b"",
    lambda content, chance: chance.randbytes(len(content)),
    lambda content, chance: content[:2000] + chance.randbytes(500) + content[2500:],
    lambda content, chance: content + content,
]


def test_damaged_files(tmp_path: Path, films, squares, clip_settings: ClipSettings):
    """Nothing raises; files = stored + quarantined; a damaged file costs no other one."""
    seed = int(os.environ.get("DAMAGE_SEED", random.SystemRandom().randrange(10**6)))
    print(f"DAMAGE_SEED={seed}")
    chance, root = random.Random(seed), tmp_path / "data"
    noise = np.random.default_rng(0).integers(0, 200, (12, 96, 96, 3), dtype=np.uint8)
    for t, frame in enumerate(noise):  # so that every byte of the file says something
        frame[30:62, 20 + t : 52 + t] = 255
    whole = films.write(tmp_path / "whole.mp4", list(noise)).read_bytes()
    for n in range(FILES):
        name = f"{n:03d}".encode() + chance.choice([b"", b" \xe9\xff", b"\n,[x]=\"'", "é".encode()])
        name += chance.choice([b".mp4", b".mp4", b".avi", b".MKV", b".txt", b""])
        path = root / f"person {n % 7}" / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(chance.choice(DAMAGES)(whole, chance))
    for n in range(5):
        (root / "whole").mkdir(exist_ok=True)
        (root / "whole" / f"{n}.mp4").write_bytes(whole)
    (root / "whole" / "around").symlink_to(root)
    (root / "whole" / "self.mp4").symlink_to("self.mp4")

    listed = assign_splits(list_sources("folder", root), 0.05, None, 0)
    plan = make_plan(listed, {})

    def runner(tasks, on_done) -> None:
        for task in tasks:
            write_task(task)
            on_done(task)

    out, keys = tmp_path / "out", {"_target_": "headmime.landmarks.detect_dlib.DlibDetector"}
    summary = preprocess(
        root, out, plan, listed.refused, clip_settings, keys, runner, lambda *_: None
    )
    stored = {clip.source for clip in Store(out).clips}
    quarantined = {one.file for one in summary.refused if one.seconds is None}
    assert {f"whole/{n}.mp4" for n in range(5)} <= stored
    assert len(stored) + len(quarantined) == FILES + 5 + 2 == summary.files
    assert not stored & quarantined
    assert len(quarantined) > FILES / 2
    ours = [one.reason for one in summary.refused if "made headmime fail" in one.reason]
    assert not ours
