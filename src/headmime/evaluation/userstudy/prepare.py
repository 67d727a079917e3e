"""Making a study: frames are drawn, pictures generated, and all of them encoded alike."""

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headmime.animate.person import Animator
from headmime.data.protocol import Case
from headmime.data.store import Store
from headmime.errors import HeadmimeError
from headmime.evaluation.trials import pictures, points
from headmime.evaluation.userstudy.encode import encoded
from headmime.evaluation.userstudy.study import (
    DESCRIPTION,
    PICTURES,
    Study,
    Triplet,
    picture_path,
)
from headmime.evaluation.userstudy.triplets import Draw, Frame, draw_triplets
from headmime.provenance.origin import software_origin


@dataclass(frozen=True)
class Row:
    """A method in the study: its animator of each case, and what the result will say of it."""

    animator: Callable[[int], Animator]
    record: dict[str, Any]


def prepare(
    folder: Path,
    store: Store,
    cases: Sequence[Case],
    rows: Mapping[str, Row],
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
    draws, left_out = draw_triplets(store, cases, count * len(rows), seed)
    if not draws:
        raise HeadmimeError(
            f"No case of {store.folder} has three frames beside the model's source frames."
        )
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / PICTURES).mkdir(parents=True)
    try:
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
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return study


def _triplets(
    folder: Path,
    store: Store,
    rows: Mapping[str, Row],
    size: int,
    draws: Sequence[Draw],
    on_step: Callable[[int, int], None],
) -> list[Triplet]:
    """The triplets, case by case: at most one animator is alive at a time."""
    times: Counter[int] = Counter()
    dealt: list[tuple[int, str, Draw]] = []
    for draw in draws:
        row = list(rows)[(times[draw.case] + draw.case) % len(rows)]
        times[draw.case] += 1
        dealt.append((draw.case, row, draw))
    dealt.sort(key=lambda item: item[:2])
    triplets, made, animator = [], None, None
    for done, (case, row, draw) in enumerate(dealt, 1):
        if (case, row) != made:
            made, animator = (case, row), rows[row].animator(case)
        (generated,) = animator(points(store, (draw.driving,)))
        names = [
            _write(folder, picture) for picture in (generated, *pictures(store, draw.real, size))
        ]
        triplets.append(_triplet(store, row, draw, names))
        on_step(done, len(dealt))
    return triplets


def _triplet(store: Store, row: str, draw: Draw, names: Sequence[str]) -> Triplet:
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
    png = encoded(picture)
    name = hashlib.sha256(png).hexdigest()[:16]
    picture_path(folder, name).write_bytes(png)
    return name
