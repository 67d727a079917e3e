"""Prepare a study: sample frames, generate images, encode all of them identically."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from omegaconf import MISSING
from PIL import Image

from headmime.benchmark.methods import Methods
from headmime.benchmark.rows import draw_protocol, open_store
from headmime.benchmark.settings import RowGrid, RowSettings, check
from headmime.data.protocol import Case
from headmime.data.shards import JPEG_QUALITY
from headmime.data.store import Store
from headmime.errors import HeadmimeError
from headmime.evaluation.trials import load_frames, load_landmarks
from headmime.files import write_atomically, write_text
from headmime.images import Animator
from headmime.progress import progress
from headmime.provenance.origin import software_origin
from headmime.studies.userstudy.study import (
    DESCRIPTION,
    IMAGES,
    Study,
    Triplet,
    image_path,
)
from headmime.studies.userstudy.triplets import Frame, TripletFrames, sample_triplets


@dataclass
class UserStudy(RowGrid):
    """Keys of `headmime userstudy prepare`: `triplets` of each method and T, written to `out`."""

    triplets: int = MISSING
    title: str = MISSING
    seed: int = MISSING
    out: str = MISSING


@dataclass
class UserStudySettings(RowSettings):
    """A row's keys, and the study's; conf/study/userstudy.yaml says what they mean."""

    study: UserStudy = field(default_factory=UserStudy)


@dataclass(frozen=True)
class StudyRow:
    """A method in the study: its animator of each case, and its record in results."""

    animator: Callable[[int], Animator]
    record: dict[str, Any]


def run_prepare(settings: UserStudySettings) -> Iterator[str]:
    """Check the settings, sample, generate and write a study, using cached personal models.

    Yields messages for the user.
    """
    study = settings.study
    check(settings, study.methods, study.Ts)
    if settings.mode != "self":
        raise HeadmimeError(f"mode={settings.mode}: a user study needs mode=self.")
    if "real" in study.methods:
        raise HeadmimeError("method=real generates no images.")
    if "frames" in study.methods:
        raise HeadmimeError("method=frames has no frames of the study's own poses: leave it out.")
    if study.triplets < 1:
        raise HeadmimeError(f"study.triplets={study.triplets} should be 1 or more.")
    out = Path(study.out).expanduser()
    if out.exists():
        raise HeadmimeError(f"study.out={out} exists already: choose another folder.")
    out.parent.mkdir(parents=True, exist_ok=True)
    store = open_store(settings)
    protocol = draw_protocol(settings, store)
    methods = Methods(settings, store)
    rows = {
        f"{method}_T{T}": _row(methods, protocol.cases, method, T)
        for method, T in product(study.methods, study.Ts)
    }
    design = methods.size, study.triplets, study.title, study.seed
    with progress("Preparing triplets") as on_step:
        prepared = prepare(out, store, protocol.cases, rows, *design, on_step)
    count = study.triplets * len(rows)
    if len(prepared.triplets) < count:
        yield f"{len(prepared.triplets)} triplets, not {count}: the store has too few frames."
    yield from (str(out), f"Now: headmime userstudy serve {out}")


def _row(methods: Methods, cases: Sequence[Case], method: str, T: int) -> StudyRow:
    adapt, store, size = methods.adapt_to_anyone(method), methods.store, methods.size

    def animator(case: int) -> Animator:
        frames = cases[case].sources[:T]
        return adapt(load_frames(store, frames, size), load_landmarks(store, frames))

    return StudyRow(animator, methods.description(method, T))


def prepare(
    folder: Path,
    store: Store,
    cases: Sequence[Case],
    rows: Mapping[str, StudyRow],
    size: int,
    count: int,
    title: str,
    seed: int,
    on_step: Callable[[int, int], None] = lambda done, total: None,
) -> Study:
    """Write a study of `count` triplets a row into `folder`, which must not exist; return it.

    `size`: side of all images. Rows share people as far as `count` allows, but no frames.
    `on_step(done, total)` is called after each triplet. The folder is written atomically.
    """
    if folder.exists():
        raise HeadmimeError(f"{folder} exists already: choose another folder for a new study.")
    samples, left_out = sample_triplets(store, cases, count * len(rows), seed)
    if not samples:
        raise HeadmimeError(
            f"No case of {store.folder} has three frames beside the model's source frames."
        )
    with write_atomically(folder) as partial:
        (partial / IMAGES).mkdir(parents=True)
        study = Study(
            title=title,
            seed=seed,
            size=size,
            rows={name: row.record for name, row in rows.items()},
            triplets=tuple(_triplets(partial, store, rows, size, samples, on_step)),
            left_out={store.videos[cases[index].video][0]: why for index, why in left_out.items()},
            origin={**software_origin(), "store": store.hash},
        )
        write_text(partial / DESCRIPTION, study.to_json())
    return study


def _triplets(
    folder: Path,
    store: Store,
    rows: Mapping[str, StudyRow],
    size: int,
    samples: Sequence[TripletFrames],
    on_step: Callable[[int, int], None],
) -> list[Triplet]:
    """Write the triplets, case by case, with at most one animator in memory."""
    times: Counter[int] = Counter()
    assigned: list[tuple[int, str, TripletFrames]] = []
    for sample in samples:
        row = list(rows)[(times[sample.case] + sample.case) % len(rows)]
        times[sample.case] += 1
        assigned.append((sample.case, row, sample))
    assigned.sort(key=lambda item: item[:2])
    triplets: list[Triplet] = []
    current, animator = None, None
    for done, (case, row, sample) in enumerate(assigned, 1):
        if animator is None or (case, row) != current:
            current, animator = (case, row), rows[row].animator(case)
        (generated,) = animator(load_landmarks(store, (sample.driving,)))
        names = [
            _write(folder, image) for image in (generated, *load_frames(store, sample.real, size))
        ]
        triplets.append(_triplet(store, row, sample, names))
        on_step(done, len(assigned))
    return triplets


def _triplet(store: Store, row: str, sample: TripletFrames, names: Sequence[str]) -> Triplet:
    generated, one, two = names

    def origin(frame: Frame) -> tuple[str, str, int]:
        clip = store.clip(frame[0])
        return clip.video, clip.clip, frame[1]

    return Triplet(
        id=hashlib.sha256("".join(sorted(names)).encode()).hexdigest()[:16],
        row=row,
        person=store.clip(sample.driving[0]).person,
        sequences=sample.sequences,
        generated=generated,
        real=(one, two),
        frames=tuple(origin(frame) for frame in (sample.driving, *sample.real)),
    )


def _write(folder: Path, image: np.ndarray) -> str:
    """Write an image, named by the hash of its content; return the name."""
    png = encode(image)
    name = hashlib.sha256(png).hexdigest()[:16]
    image_path(folder, name).write_bytes(png)
    return name


def encode(image: np.ndarray) -> bytes:
    """Encode uint8 RGB [S, S, 3] as PNG without metadata, of constant size in bytes.

    All images are first JPEG-compressed as in the store: real frames have been (a second pass
    changes sitters' frames a quarter as much as the first), so generated ones must not be cleaner.
    The PNG is uncompressed: its length depends on S only.
    """
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    file = BytesIO()
    decoded = cv2.imdecode(jpeg, cv2.IMREAD_COLOR_RGB)
    assert decoded is not None
    Image.fromarray(decoded).save(file, "PNG", compress_level=0)
    return file.getvalue()
