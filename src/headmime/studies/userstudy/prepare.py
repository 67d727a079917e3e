"""Making a study: frames are drawn, images generated, and all of them encoded alike."""

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
from headmime.benchmark.rows import draw_protocol
from headmime.benchmark.settings import RowGrid, RowSettings, check
from headmime.data.protocol import Case
from headmime.data.shards import JPEG_QUALITY
from headmime.data.store import Store
from headmime.errors import HeadmimeError
from headmime.evaluation.trials import load_frames, load_landmarks
from headmime.files import write_atomically
from headmime.images import Animator
from headmime.progress import progress
from headmime.provenance.origin import software_origin
from headmime.studies.userstudy.study import (
    DESCRIPTION,
    PICTURES,
    Study,
    Triplet,
    picture_path,
)
from headmime.studies.userstudy.triplets import Frame, TripletFrames, sample_triplets


@dataclass
class UserStudy(RowGrid):
    """What `headmime userstudy prepare` makes: `triplets` of each method and T into `out`."""

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
    """A method in the study: its animator of each case, and what the result will say of it."""

    animator: Callable[[int], Animator]
    record: dict[str, Any]


def run_prepare(settings: UserStudySettings) -> Iterator[str]:
    """Check what can be checked, draw, generate, write; the personal models of rows are used.
    Lines for people.
    """
    study = settings.study
    check(settings, study.methods, study.Ts)
    if settings.mode != "self":
        raise HeadmimeError(f"mode={settings.mode}: people are shown as themselves, mode=self.")
    if "real" in study.methods:
        raise HeadmimeError("method=real generates nothing that could be found.")
    if "frames" in study.methods:
        raise HeadmimeError("method=frames has no frames of the study's own poses: leave it out.")
    if study.triplets < 1:
        raise HeadmimeError(f"study.triplets={study.triplets} should be 1 or more.")
    out = Path(study.out).expanduser()
    if out.exists():
        raise HeadmimeError(f"study.out={out} exists already: choose another folder.")
    out.parent.mkdir(parents=True, exist_ok=True)
    store = Store(Path(settings.store).expanduser())
    drawn = draw_protocol(settings, store)
    methods = Methods(settings, store)
    rows = {
        f"{method}_T{T}": _row(settings, methods, drawn.cases, method, T)
        for method, T in product(study.methods, study.Ts)
    }
    design = methods.size, study.triplets, study.title, study.seed
    with progress("Preparing triplets") as on_step:
        made = prepare(out, store, drawn.cases, rows, *design, on_step)
    if len(made.triplets) < (wanted := study.triplets * len(rows)):
        yield f"{len(made.triplets)} triplets, not {wanted}: the store has no more free frames."
    yield from (str(out), f"Now: headmime userstudy serve {out}")


def _row(
    settings: UserStudySettings, methods: Methods, cases: Sequence[Case], method: str, T: int
) -> StudyRow:
    adapt, store, size = methods.adapt_to_anyone(method), methods.store, methods.size

    def animator(case: int) -> Animator:
        frames = cases[case].sources[:T]
        return adapt(load_frames(store, frames, size), load_landmarks(store, frames))

    record = {
        **settings.data(),
        "store": store.hash,
        "size": size,
        "method": method,
        "T": T,
        **methods.origin_of(method),
    }
    return StudyRow(animator, record)


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

    `size`: the side of the animators' frames; the store's are brought to it.
    Every row gets triplets of the same people as far as `count` allows, always of other frames.
    `on_step(done, total)` is called after each triplet. The folder appears when it is complete.
    """
    if folder.exists():
        raise HeadmimeError(f"{folder} exists already: choose another folder for a new study.")
    draws, left_out = sample_triplets(store, cases, count * len(rows), seed)
    if not draws:
        raise HeadmimeError(
            f"No case of {store.folder} has three frames beside the model's source frames."
        )
    with write_atomically(folder) as partial:
        (partial / PICTURES).mkdir(parents=True)
        study = Study(
            title=title,
            seed=seed,
            size=size,
            rows={name: row.record for name, row in rows.items()},
            triplets=tuple(_triplets(partial, store, rows, size, draws, on_step)),
            left_out={store.videos[cases[index].video][0]: why for index, why in left_out.items()},
            origin={**software_origin(), "store": store.hash},
        )
        (partial / DESCRIPTION).write_text(study.to_json())
    return study


def _triplets(
    folder: Path,
    store: Store,
    rows: Mapping[str, StudyRow],
    size: int,
    draws: Sequence[TripletFrames],
    on_step: Callable[[int, int], None],
) -> list[Triplet]:
    """The triplets, case by case: at most one animator is alive at a time."""
    times: Counter[int] = Counter()
    dealt: list[tuple[int, str, TripletFrames]] = []
    for draw in draws:
        row = list(rows)[(times[draw.case] + draw.case) % len(rows)]
        times[draw.case] += 1
        dealt.append((draw.case, row, draw))
    dealt.sort(key=lambda item: item[:2])
    triplets: list[Triplet] = []
    made, animator = None, None
    for done, (case, row, draw) in enumerate(dealt, 1):
        if animator is None or (case, row) != made:
            made, animator = (case, row), rows[row].animator(case)
        (generated,) = animator(load_landmarks(store, (draw.driving,)))
        names = [
            _write(folder, picture) for picture in (generated, *load_frames(store, draw.real, size))
        ]
        triplets.append(_triplet(store, row, draw, names))
        on_step(done, len(dealt))
    return triplets


def _triplet(store: Store, row: str, draw: TripletFrames, names: Sequence[str]) -> Triplet:
    generated, one, two = names

    def origin(frame: Frame) -> tuple[str, str, int]:
        clip = store.clip(frame[0])
        return clip.video, clip.clip, frame[1]

    return Triplet(
        id=hashlib.sha256("".join(sorted(names)).encode()).hexdigest()[:16],
        row=row,
        person=store.clip(draw.driving[0]).person,
        sequences=draw.sequences,
        generated=generated,
        real=(one, two),
        frames=tuple(origin(frame) for frame in (draw.driving, *draw.real)),
    )


def _write(folder: Path, picture: np.ndarray) -> str:
    """Write a picture under a name made from what it shows; return the name."""
    png = encode(picture)
    name = hashlib.sha256(png).hexdigest()[:16]
    picture_path(folder, name).write_bytes(png)
    return name


def encode(picture: np.ndarray) -> bytes:
    """uint8 RGB [S, S, 3] -> PNG without metadata, as many bytes for every picture of a size.

    All pictures go through the store's JPEG first: real frames have been through it (a second time
    changes sitters' frames a quarter as much as the first), so generated ones must not be cleaner.
    The PNG is not compressed: its length depends on S alone.
    """
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    file = BytesIO()
    decoded = cv2.imdecode(jpeg, cv2.IMREAD_COLOR_RGB)
    assert decoded is not None
    Image.fromarray(decoded).save(file, "PNG", compress_level=0)
    return file.getvalue()
