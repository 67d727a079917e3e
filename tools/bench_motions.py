"""Compare absolute and relative motion, against cross-reenactment with ground truth.

    headmime data sitters n=1 cross=20 frames=32 size=256 seed=12 out=runs/stores/sitters_cross
    python tools/bench_motions.py runs/stores/sitters_cross [runs/results]

First the landmarks alone: distance of the target landmarks from those of the true frames (another
sitter's motion, rendered on this head), in face sizes (about brows to chin). `shape` is invariant
to position, tilt and size; `mouth` is the error of its opening. Then the rows of these sitters that
are among the results (`make table1 EXP=eval_cross_sitters ARGS=motion=...`).
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from headmime.animate.motion import MOTIONS, fit_landmarks
from headmime.animate.poses import RIGID, as_complex, neutral_frame, similarity
from headmime.data.protocol import cross_cases
from headmime.data.store import Store
from headmime.evaluation.results import Result, read_result
from headmime.evaluation.statistics import paired_difference
from headmime.evaluation.trials import load_landmarks
from headmime.landmarks.points import face_size, mouth_opening

TS = (1, 8, 32)
COUNT = 32  # frames of every driving
METRICS = ("akd", "csim", "csim_source", "ssim", "turn_correlation", "mouth_correlation")


def errors(asked: np.ndarray, truth: np.ndarray) -> tuple[float, float, float]:
    """Distance of points, of aligned shapes, of mouths' opening; all landmarks [T, 68, 2]."""
    size = face_size(truth)
    apart = np.linalg.norm(asked - truth, axis=-1).mean(-1) / size
    face, true = as_complex(asked), as_complex(truth)
    a, b = similarity(face[:, RIGID], true[:, RIGID])
    shape = abs(a * face + b - true).mean(-1) / size
    mouth = abs(mouth_opening(asked) - mouth_opening(truth))
    return float(apart.mean()), float(shape.mean()), float(mouth.mean())


def landmark_table(store: Store) -> Iterator[str]:
    yield f"{'motion':10}{'T':>4}{'points':>9}{'shape':>9}{'mouth':>9}"
    cases = cross_cases(store)
    for motion in MOTIONS:
        for T in TS[:1] if motion == "absolute" else TS:
            found = []
            for case in cases:
                sources = load_landmarks(store, case.sources[:T])
                driving, truth = (
                    load_landmarks(store, part[:COUNT]) for part in (case.driving, case.truth)
                )
                asked = fit_landmarks(driving, sources[neutral_frame(sources)], motion)
                found.append(errors(asked, truth))
            values = "".join(f"{value:9.4f}" for value in np.mean(found, 0))
            yield f"{motion:10}{'any' if motion == 'absolute' else T:>4}{values}"


def of_store(store: Store, folder: Path) -> list[Result]:
    results = [read_result(file) for file in sorted(folder.glob("*.json"))]
    return [one for one in results if one.row["store"] == store.hash and one.row["mode"] == "truth"]


def rows(results: list[Result]) -> Iterator[str]:
    yield f"{'motion':10}{'method':>8}{'T':>4}" + "".join(f"{name:>19}" for name in METRICS)
    for one in results:
        said = one.row
        values = "".join(f"{one.metrics[name]['value']:19.4f}" for name in METRICS)
        yield f"{said['motion']:10}{said['method']:>8}{said['T']:>4}{values}"


def relative_over_absolute(results: list[Result]) -> Iterator[str]:
    """By the same draws of persons for both, 95 %."""
    found = {(one.row["method"], one.row["T"], one.row["motion"]): one for one in results}
    for method, T, motion in found:
        other = found.get((method, T, "absolute"))
        if motion == "relative" and other is not None:
            for name in ("akd", "csim", "csim_source"):
                ours, theirs = found[method, T, motion].persons[name], other.persons[name]
                apart = paired_difference(ours, theirs)
                interval = f"[{apart.low:.4f}, {apart.high:.4f}]"
                yield f"{method:>4} T={T:<3}{name:12}{apart.value:9.4f}  {interval}"


def main(folder: str, results: str = "runs/results") -> None:
    store = Store(Path(folder))
    print("\n".join(landmark_table(store)))
    print()
    scored = of_store(store, Path(results))
    print("\n".join(rows(scored)))
    print("\nrelative minus absolute")
    print("\n".join(relative_over_absolute(scored)))


if __name__ == "__main__":
    main(*sys.argv[1:])
