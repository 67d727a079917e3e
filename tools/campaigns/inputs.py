"""Mutated inputs through the public API: each is used, or refused in one sentence.

Every case is a fork of this process with limits of time and memory. A case fails if it ends in a
traceback or a crash, takes 10 s of CPU time or 1 GB more than the clean file, changes its input,
leaves unfinished files, or says more than a sentence or does not name the file.
"""

import contextlib
import hashlib
import io
import json
import logging
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
from forked import OK, REFUSED, Outcome, run_forked
from mutations import change_arrays, change_bytes, change_json, change_words
from samples import FixedFace, make_samples

from headmime.animate import api
from headmime.animate.driving import load_template
from headmime.animate.model import load
from headmime.animate.person import load_person
from headmime.animate.sound import Playback, Sound, has_sound
from headmime.cli import main as headmime
from headmime.data.image_reader import read_image
from headmime.data.inspection import contact_sheet, summarise, verify_store
from headmime.data.store import Store
from headmime.data.video_reader import read_video
from headmime.errors import HeadmimeError
from headmime.files import PARTIAL
from headmime.learning.checkpoint_io import AtomicCheckpointIO
from headmime.provenance.signer import signer_for
from headmime.provenance.statement import ProvenanceOptions
from headmime.web.uploads import Limits, check_clip, check_sources, first_frame

SECONDS, MEGABYTES = 10.0, 1000.0  # more than the clean file
LONGEST_SENTENCE = 20_000  # characters: a value of 5,000 is repeated
COMMANDS = (
    "animate person=person/me driving=motion.npz out=made/a.mp4 size=64 fps=25 start=0 end=1 "
    "consent=own audio=none motion=relative output=crop provenance.label=true device=cpu seed=0",
    "animate source=images/a.jpg driving=motion.npz out=made/a.gif weights=weights/tiny T=1 "
    "finetune=none consent=own detector=dlib size=64 audio=none provenance.watermark=true",
    "template driver.mp4 out=made/a.npz",
    "template show motion.npz out=made/a.png",
    "data inspect store out=made/sheet.png",
    "data verify store=store",
    "verify signed/a.mp4 signed/a.png trust=signing/root.pem",
)
KEYS_OF_TWO_WORDS = ("template show", "data inspect", "data verify")


@dataclass(frozen=True)
class Kind:
    """`files`: the clean ones, below the samples. `whole`: the sample's folder is copied, since its
    files belong together. `use` gets the path of the changed file.
    """

    files: str
    mutate: Callable[[Path, Random], None]
    use: Callable[[Path], object]
    share: int = 1
    whole: str | None = None


def use_image(path: Path) -> None:
    """As a source, and as an upload of the page."""
    check_sources([path], Limits())
    first_frame(path, Limits())
    api.personalise(_model(path), [path], 1, None, consent="own", detector=FixedFace())


def use_video(path: Path) -> None:
    """As a source, a driving, and an upload."""
    check_clip(path, Limits())
    api.personalise(_model(path), [path], 2, None, consent="own", detector=FixedFace())
    animation = api.animate(_person(path), path, detector=FixedFace())
    _render(animation)


def use_sound(path: Path) -> None:
    """As the sound of another driving: as much as that of two minutes of video."""
    if has_sound(path):
        playback = Playback(Sound(path))
        for _ in range(120):
            assert playback.take(48_000).shape == (2, 48_000)
    api.animate(_person(path), "talk", audio=path)


def use_template(path: Path) -> None:
    load_template(path)
    _render(api.animate(_person(path), path))


def _render(animation: api.Animation) -> None:
    for number, frame in enumerate(animation):
        assert frame.shape == (16, 16, 3)
        if number == 100:
            break


def use_weights(path: Path) -> None:
    api.personalise(load(path, "cpu"), [_beside(path, "images/a.jpg")], 1, None, consent="own",
                    detector=FixedFace())  # fmt: skip


def use_person(path: Path) -> None:
    _render(api.animate(load_person(path), _beside(path, "motion.npz")))


def change_tensors(file: Path, chance: Random) -> None:
    """The hash beside it is made to fit in half of the cases, or nothing else would be tested."""
    change_bytes(file, chance)
    if chance.random() < 0.7:
        description = file.with_suffix(".json")
        content = json.loads(description.read_text())
        content["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
        description.write_text(json.dumps(content))


def use_store(path: Path) -> None:
    """Every frame; verification must notice what was changed."""
    folder = path.parent if path.parent.name == "store" else path.parent.parent
    damages = verify_store(folder)
    if path.name != "manifest.json" and not damages:
        raise AssertionError(f"{path} was changed, and verification says nothing")
    store = Store(folder)
    for clip in range(store.n):
        store.landmarks(clip), store.times(clip), store.scores(clip), store.clip(clip)
        for t in range(store.clip(clip).frames):
            store.frame(clip, t)
    _ = store.videos, summarise(store), contact_sheet(store)


def use_signed(path: Path) -> None:
    """What is still trusted must look the same: C2PA leaves some bytes out, such as padding."""
    trusted = api.verify(path).state.value == "trusted"
    if trusted and not np.array_equal(_pixels(path), _pixels(_samples / "signed" / path.name)):
        raise AssertionError(f"{path} looks different, and is still trusted")


def _pixels(path: Path) -> np.ndarray:
    if path.suffix == ".png":
        return read_image(path)
    return np.stack([frame for frame, _ in read_video(path)])


def use_root(path: Path) -> None:
    api.verify(_beside(path, "signed/a.mp4"), [path])


def use_certificate(path: Path) -> None:
    folder = path.parent
    signer_for(ProvenanceOptions(cert=str(folder / "certificate.pem"), key=str(folder / "key.pem")))


def use_state(path: Path) -> None:
    AtomicCheckpointIO().load_checkpoint(path)


def use_words(path: Path) -> None:
    """A command line: code 0, or a message of one sentence."""
    verb, *words = path.read_text(errors="surrogateescape").split("\x1e")
    if any(word.split("=")[0] in ("-m", "--multirun") for word in words):
        words = [word for word in words if word not in ("-m", "--multirun")]
    os.chdir(path.parent)
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = headmime([*verb.split(), *words])
    sentences = [line for line in said.getvalue().splitlines() if line.strip()]
    if "Traceback" in said.getvalue():
        raise AssertionError(said.getvalue())
    if code:
        raise HeadmimeError(sentences[-1] if sentences else f"code {code} without a word")


KINDS = {
    "images": Kind("images/*", change_bytes, use_image, 4),
    "videos": Kind("videos/*", change_bytes, use_video, 4),
    "sounds": Kind("sounds/*", change_bytes, use_sound, 2),
    "templates": Kind("motion.npz", change_bytes, use_template, 1),
    "templates' arrays": Kind("motion.npz", change_arrays, use_template, 1),
    "safetensors": Kind("weights/*.safetensors", change_tensors, use_weights, 1, "weights"),
    "weights' JSON": Kind("weights/*.json", change_json, use_weights, 1, "weights"),
    "persons' safetensors": Kind("person/*.safetensors", change_tensors, use_person, 1, "person"),
    "persons' JSON": Kind("person/*.json", change_json, use_person, 1, "person"),
    "manifests": Kind("store/manifest.json", change_json, use_store, 2, "store"),
    "shards": Kind("store/**/*[!n].*", change_bytes, use_store, 2, "store"),
    "credentials": Kind("signed/*", change_bytes, use_signed, 2),
    "roots": Kind("signing/root.pem", change_bytes, use_root, 1),
    "certificates": Kind("signing/[ck]*.pem", change_bytes, use_certificate, 1, "signing"),
    "states": Kind("state/last.ckpt", change_bytes, use_state, 1),
    "overrides": Kind("words/*", change_words, use_words, 4),
}
_samples: Path


def _beside(path: Path, name: str) -> Path:
    return _samples / name


def _model(path: Path):
    return load(_samples / "weights" / "tiny", "cpu")


def _person(path: Path):
    return load_person(_samples / "person" / "me")


def write_words(folder: Path) -> None:
    """The commands, a file each, beside links to what they name."""
    (folder / "words").mkdir()
    for number, command in enumerate(COMMANDS):
        verb = next((two for two in KEYS_OF_TWO_WORDS if command.startswith(two)), None)
        verb = verb or command.split()[0]
        words = command.removeprefix(verb).split()
        (folder / "words" / f"{number}.txt").write_text("\n".join([verb, *words]))


def run_case(
    samples: Path, name: str, file: Path, chance: Random | None, keep: Path | None, limit: float
):
    """Change a copy of `file` (None: leave it) and use it: the outcome, what is wrong."""
    kind = KINDS[name]
    with tempfile.TemporaryDirectory(prefix="headmime-campaign-") as folder:
        root = Path(folder)
        if kind.whole:
            shutil.copytree(samples / kind.whole, root / kind.whole)
            changed = root / file.relative_to(samples)
        else:
            changed = root / file.name
            shutil.copyfile(file, changed)
        if name == "overrides":
            for other in samples.iterdir():
                (root / other.name).symlink_to(other)
        if chance is not None:
            kind.mutate(changed, chance)
        elif name == "overrides":
            changed.write_text(changed.read_text().replace("\n", "\x1e"))
        unchanged = changed.read_bytes() == file.read_bytes()
        before = hashlib.sha256(changed.read_bytes()).digest()
        use = kind.use
        if unchanged and name == "shards":
            use = Path.stat  # nothing to notice
        outcome = run_forked(partial(use, changed), limit)
        wrong = what_is_wrong(outcome, root, changed, before, name != "overrides")
        if wrong and keep:
            keep.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(changed, keep / changed.name)
            (keep / "words.txt").write_text(f"{wrong}\n\n{outcome.words}", errors="replace")
    return outcome, wrong


def what_is_wrong(
    outcome: Outcome, root: Path, changed: Path, before: bytes, names: bool
) -> str | None:
    if outcome.kind not in (OK, REFUSED):
        return outcome.kind
    if not changed.is_file() or hashlib.sha256(changed.read_bytes()).digest() != before:
        return "the input was changed"
    if partial_files := [path.name for path in root.rglob(f"{PARTIAL}*")]:
        return f"unfinished files stay: {partial_files}"
    if outcome.megabytes > MEGABYTES:
        return f"{outcome.megabytes:.0f} MB"
    if outcome.kind == REFUSED:
        if len(outcome.words.splitlines()) != 1:
            return "not one line"
        if len(outcome.words) > LONGEST_SENTENCE:
            return "an endless sentence"
        named = (changed.stem, changed.relative_to(root).parts[0])
        if names and not any(name in outcome.words for name in named):
            return "the sentence does not name the file"
    return None


def run(count: int, seed: int, only: str | None = None, keep: Path | None = None) -> int:
    """`count` cases over all kinds; the number of failures. only: "KIND" or "KIND:NUMBER"."""
    global _samples
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="headmime-samples-") as folder:
        _samples = samples = Path(folder)
        os.environ["XDG_CONFIG_HOME"] = str(samples / "configuration")
        outcome = run_forked(lambda: _prepare(samples), 120)
        if outcome.kind != OK:
            raise SystemExit(outcome.words)
        return _run(samples, count, seed, keep, only)


def _prepare(samples: Path) -> None:
    signer_for(ProvenanceOptions())
    make_samples(samples)
    write_words(samples)


def _run(samples: Path, count: int, seed: int, keep: Path | None, only: str | None) -> int:
    shares = sum(kind.share for kind in KINDS.values())
    wanted, _, number = (only or "").partition(":")
    failures, peak, begun = 0, 0.0, time.monotonic()
    for name, kind in KINDS.items():
        if wanted not in ("", name):
            continue
        files = sorted(file for file in samples.glob(kind.files) if file.is_file())
        clean = {}
        for file in files:
            outcome, wrong = run_case(samples, name, file, None, None, 60)
            if wrong or (outcome.kind != OK):
                raise SystemExit(f"{name}: the clean {file.name} fails: {outcome.words}")
            clean[file] = outcome
        cases = -(-count * kind.share // shares)
        counts = Counter()
        for case in [int(number)] if number else range(cases):
            chance = Random(f"{seed}/{name}/{case}")
            file = chance.choice(files)
            limit = clean[file].seconds + SECONDS
            kept = keep / f"{name}-{case}" if keep else None
            outcome, wrong = run_case(samples, name, file, chance, kept, limit)
            counts["failed" if wrong else outcome.kind] += 1
            peak = max(peak, outcome.megabytes)
            if wrong:
                failures += 1
                print(f"  {name}:{case} ({file.name}): {wrong}: {_last_line(outcome.words)}")
        print(f"{name}: {dict(counts)}, {time.monotonic() - begun:.0f} s", flush=True)
    print(f"{failures} failures; at most {peak:.0f} MB more than before a case")
    return failures


def _last_line(words: str) -> str:
    return (words.splitlines() or [""])[-1][:300]
