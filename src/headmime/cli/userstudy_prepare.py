"""`headmime userstudy prepare`: the triplets of a study, from the rows of a table."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

from headmime.animate.person import Animator
from headmime.cli.animators import Animators
from headmime.cli.config import conf_folder, plain_errors
from headmime.cli.row_settings import Evaluate, check
from headmime.cli.rows import protocol_of
from headmime.data.protocol import Case
from headmime.data.store import Store
from headmime.errors import HeadmimeError
from headmime.evaluation.trials import pictures, points
from headmime.evaluation.userstudy.prepare import Row, prepare
from headmime.progress import progress


@hydra.main(config_path=str(conf_folder()), config_name="evaluate", version_base="1.3")
@plain_errors
def main(config: DictConfig) -> None:
    """Check what can be checked, draw, generate, write; the personal models of rows are used."""
    settings: Evaluate = OmegaConf.to_object(config)
    study = settings.study
    check(settings, study.methods, study.Ts)
    if settings.mode != "self":
        raise HeadmimeError(f"mode={settings.mode}: people are shown as themselves, mode=self.")
    if "real" in study.methods:
        raise HeadmimeError("method=real generates nothing that could be found.")
    if study.triplets < 1:
        raise HeadmimeError(f"study.triplets={study.triplets} should be 1 or more.")
    out = Path(study.out).expanduser()
    if out.exists():
        raise HeadmimeError(f"study.out={out} exists already: choose another folder.")
    out.parent.mkdir(parents=True, exist_ok=True)
    store = Store(Path(settings.store).expanduser())
    drawn = protocol_of(settings, store)
    animators = Animators(settings, store)
    rows = {
        f"{method}_T{T}": _row(settings, animators, drawn.cases, method, T)
        for method, T in product(study.methods, study.Ts)
    }
    with progress("Preparing triplets") as on_step:
        made = prepare(
            out,
            store,
            drawn.cases,
            rows,
            animators.size,
            study.triplets,
            study.title,
            study.seed,
            on_step,
        )
    wanted = study.triplets * len(rows)
    if len(made.triplets) < wanted:
        print(f"{len(made.triplets)} triplets, not {wanted}: the store has no more free frames.")
    print(f"{out}\nNow: headmime userstudy serve {out}")


def _row(
    settings: Evaluate, animators: Animators, cases: Sequence[Case], method: str, T: int
) -> Row:
    adapt, store, size = animators.adapt(method), animators.store, animators.size

    def animator(case: int) -> Animator:
        frames = cases[case].sources[:T]
        return adapt(pictures(store, frames, size), points(store, frames))

    record = {
        "dataset": settings.dataset,
        "store": store.hash,
        "split": settings.split,
        "videos": settings.videos,
        "held_out": settings.held_out,
        "sources": settings.sources,
        "cases_seed": settings.cases_seed,
        "size": size,
        "method": method,
        "T": T,
        **animators.made_of(method),
    }
    return Row(animator, record)
