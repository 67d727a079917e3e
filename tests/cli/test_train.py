"""The verb itself, on networks and a store so small that a run takes seconds."""

import csv
import json
import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from headmime.cli import main, training
from headmime.cli.train_schema import Train, TrainerSettings
from headmime.cli.training import determinism, precision
from headmime.data.module import SHARED_MEMORY, EpisodeData
from headmime.data.shards import ClipFrames, finish_store, write_shard
from headmime.files import hold_lock
from headmime.learning import compilation
from headmime.learning.callbacks import CheckpointCallback
from headmime.learning.settings import LossWeights
from headmime.nets.checkpoint import load_nets

from .conftest import clip


def weights(run: Path) -> dict[str, torch.Tensor]:
    return state(run)["state_dict"]


def state(run: Path) -> dict[str, Any]:
    return torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)


def test_a_run_leaves_curves_grids_weights_and_state(train: Callable, tmp_path: Path) -> None:
    assert train("run") == 0
    (curves,) = (tmp_path / "run").glob("logs/**/metrics.csv")
    rows = list(csv.DictReader(curves.open()))
    # episodes, not optimiser steps; validation at the end
    assert [int(row["step"]) for row in rows] == [2, 4, 6, 6]
    terms = {"cnt", "adv", "fm", "mch", "pix", "dsc", "total"}
    assert {f"loss/{term}" for term in terms} | {"images_per_s"} <= rows[0].keys()
    assert [p.name for p in (tmp_path / "run" / "grids").iterdir()] == ["000000006.png"]
    _, shape, record = load_nets(tmp_path / "run" / "weights" / "nets")
    assert (shape.image_size, record["detector"]) == (16, "dlib")
    origin = record["origin"]
    assert (origin["episodes"], origin["seed"], origin["experiment"]) == (6, 0, "cpu_meta")
    assert origin["perceptual"]["stand_in"] is True
    assert origin["config"]["loss"]["adversarial"] == 0.1


def test_too_little_shared_memory_is_said_before_the_start(
    train: Callable, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def usage(path: Path) -> SimpleNamespace:
        return SimpleNamespace(free=10_000 if Path(path) == SHARED_MEMORY else 10**9)

    monkeypatch.setattr("shutil.disk_usage", usage)
    assert train("run", "workers=1") == 1
    assert "--shm-size=" in capsys.readouterr().err
    assert train("run", "workers=0") == 0


def test_a_disk_too_small_for_the_state_is_said_before_the_start(
    train: Callable, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10_000))
    assert train("run") == 1
    assert "last.ckpt will have about 0.1 MB, and its disk has 0.0 MB" in capsys.readouterr().err


def test_resuming_gives_what_not_stopping_gives(train: Callable, tmp_path: Path) -> None:
    assert train("whole", epochs=2) == 0
    assert train("halves", epochs=1) == 0
    assert train("halves", "ckpt=last", epochs=2) == 0
    whole, halves = weights(tmp_path / "whole"), weights(tmp_path / "halves")
    assert whole.keys() == halves.keys()
    assert all(torch.equal(whole[name], halves[name]) for name in whole)


@pytest.mark.slow
def test_a_run_goes_on_compiled_or_not(
    train: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compilation, "BACKEND", "aot_eager")
    for epochs, compile in enumerate(("true", "false"), start=1):
        assert train("run", "ckpt=auto", f"trainer.compile={compile}", epochs=epochs) == 0
        record = json.loads((tmp_path / "run" / "record.json").read_text())
        assert record["origin"]["compiled"] == (compile == "true")
        kept = weights(tmp_path / "run")
        assert not [name for name in kept if "_orig_mod" in name]
        assert all(t.isfinite().all() for t in kept.values())
    _, _, record = load_nets(tmp_path / "run" / "weights" / "nets")
    assert record["origin"]["episodes"] == 12


def test_growing_and_mirroring_resume_alike(train: Callable, tmp_path: Path) -> None:
    """The run is stopped after 6 episodes and grows after 8."""
    options = ["mirror=0.5", "growing=[{side: 8, episodes: 8, rate: 2}]", "optim.warmup=10"]
    assert train("whole", *options, epochs=2) == 0
    assert train("halves", *options, epochs=1) == 0
    assert train("halves", *options, "ckpt=last", epochs=2) == 0
    whole, halves = weights(tmp_path / "whole"), weights(tmp_path / "halves")
    assert all(torch.equal(whole[name], halves[name]) for name in whole)


def test_frames_on_the_device_train_the_same_weights(train: Callable, tmp_path: Path) -> None:
    options = ["mirror=0.5", "growing=[{side: 8, episodes: 2, rate: 2}]"]
    assert train("loader", *options) == 0
    assert train("device", *options, "frames_on_device=true") == 0
    loader, device = weights(tmp_path / "loader"), weights(tmp_path / "device")
    assert all(torch.equal(loader[name], device[name]) for name in loader)


def test_seeds_differ_and_repeat(train: Callable, tmp_path: Path) -> None:
    for name, seed in [("a", 1), ("b", 1), ("c", 2)]:
        assert train(name, f"seed={seed}") == 0
    a, b, c = (weights(tmp_path / name) for name in "abc")
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not torch.equal(a["video_embeddings.W"], c["video_embeddings.W"])


def test_training_on_from_weights_starts_rows_at_their_embeddings(
    train: Callable, tmp_path: Path
) -> None:
    assert train("first") == 0
    still = "optim={lr_generator: 0, lr_discriminator: 0, lr_video_embeddings: 0}"
    assert train("second", f"init={tmp_path / 'first' / 'weights' / 'nets'}", still) == 0
    rows = weights(tmp_path / "second")["video_embeddings.W"]
    touched = weights(tmp_path / "second")["video_embeddings.touched"] >= 0
    assert touched.sum() == 6
    assert rows[touched].any(dim=1).all()
    assert not rows[~touched].any()


def test_larger_networks_begin_with_a_smaller_run_s_inner_layers(
    train: Callable, store_32: Path, tmp_path: Path
) -> None:
    """They stay as they are until the outer layers have learnt, also in a resumed run."""
    assert train("small", "model.attention_down=4") == 0
    given = tmp_path / "small" / "weights" / "nets"
    grow = ["model.image_size=32", "model.width=2", "model.generator_levels=3", f"init={given}"]
    grow += ["model.attention_down=4", f"store={store_32}", "new_layers_first=12"]
    assert train("large", *grow, epochs=1) == 0
    assert train("large", *grow, "ckpt=last", epochs=2) == 0
    inner, first = "embedder.layers.2.conv1.weight", "embedder.layers.0.conv1.weight"
    kept = load_nets(given)[0].embedder.layers[1].conv1.weight
    trained = weights(tmp_path / "large")
    assert torch.equal(trained[inner], kept)
    assert train("large", *grow, "ckpt=last", epochs=3) == 0
    assert not torch.equal(weights(tmp_path / "large")[inner], kept)
    assert not torch.equal(weights(tmp_path / "large")[first], trained[first])


def test_validation_changes_nothing_of_training(train: Callable, tmp_path: Path) -> None:
    options = ["ema.half_life=2", "mirror=0.5", "batch=1", "optim.accumulate=2", "loss.closeup=1"]
    assert train("with", *options, "validation.every=1") == 0
    assert train("without", *options, "validation.every=null") == 0
    one, other = (state(tmp_path / name) for name in ("with", "without"))
    for name in ("state_dict", "EpisodeData"):
        assert all(equal(one[name][key], other[name][key]) for key in one[name])
    assert torch.equal(one["random"], other["random"])
    (curves,) = (tmp_path / "with").glob("logs/**/metrics.csv")
    rows = [row for row in csv.DictReader(curves.open()) if row["val/cnt"]]
    assert [int(row["step"]) for row in rows] == [2, 4, 6]
    assert all(row["val/pix"] and row["val/near"] and row["val/sharpness"] for row in rows)
    (curves,) = (tmp_path / "without").glob("logs/**/metrics.csv")
    assert "val/cnt" not in curves.read_text()
    assert not list((tmp_path / "without" / "weights").glob("best.*"))


def equal(one: Any, other: Any) -> bool:
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


def test_the_best_weights_are_kept_beside_the_last_and_by_a_resumed_run(
    train: Callable, tmp_path: Path
) -> None:
    options = ["validation={every: 1, episodes: 5}", "ema.half_life=2"]
    assert train("whole", *options, epochs=2) == 0
    assert train("halves", *options, epochs=1) == 0
    assert train("halves", *options, "ckpt=last", epochs=2) == 0
    (curves,) = (tmp_path / "whole").glob("logs/**/metrics.csv")
    values = {
        int(row["step"]): float(row["val/cnt"])
        for row in csv.DictReader(curves.open())
        if row["val/cnt"]
    }
    best = min(values, key=values.__getitem__)
    assert len(values) == 6
    for name in ("whole", "halves"):
        nets, _, record = load_nets(tmp_path / name / "weights" / "best")
        origin = record["origin"]
        assert origin["episodes"] == best
        assert origin["best"] == {"metric": "val/cnt", "value": values[best], "held_out": 5}
        assert state(tmp_path / name)["callbacks"]["Validation"]["distance"] == values[best]
    resumed = load_nets(tmp_path / "whole" / "weights" / "best")[0]
    for one, other in zip(nets, resumed, strict=True):
        assert all(map(torch.equal, one.parameters(), other.parameters()))
    assert load_nets(tmp_path / "whole" / "weights" / "nets")[2]["origin"]["episodes"] == 12


def test_a_store_without_a_test_split_is_trained_on_without_validation(
    train: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd
) -> None:
    monkeypatch.setattr(EpisodeData, "held_out", None)
    assert train("run") == 0
    assert "".join(capfd.readouterr()).count('no videos of the split "test"') == 1
    assert [p.name for p in (tmp_path / "run" / "weights").glob("*.json")] == ["nets.json"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["keep_best=val/near"], "it can be val/cnt, val/pix, val/sharpness, or null"),
        (["validation.every=0"], "validation.every=0 must be at least 1"),
        (["validation.episodes=0"], "validation.episodes=0 must be at least 1"),
        (["ckpt=last"], "there is no"),
        (["init=nothing/here"], "nothing/here.safetensors is missing"),
        (["model.image_size=100"], "model.image_size=100"),
        (["loss.contnt=1"], "contnt"),
        (["perceptual=paper"], "perceptual.vgg19"),
        (["trainer.max_epoch=1"], "max_epoch"),
        (["trainer.precision=16-mixed"], "can only be auto, 32-true, bf16-mixed"),
        (["growing=[{side: 4, episodes: 4}]"], "growing[0].side=4: this model"),
        (["growing=[{side: 8, episodes: 0}]"], "growing[0]: episodes=0"),
        (["growing=[{side: 8, episodes: 4, lr: 1}]"], "lr"),
        (["mirror=1.5"], "mirror=1.5 is a probability"),
        (["trainer.num_nodes=2"], "torchrun"),
        (["trainer.accelerator=gpu"], "trainer.accelerator=gpu"),
        (["trainer.devices=none"], "trainer.devices=none"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    train: Callable, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert train("run", *words) != 0
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_unknown_keys_in_an_experiment_fail(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = tmp_path / "mine.yaml"
    experiment.write_text("defaults: [train, _self_]\nloss: {contnt: 2}\n")
    assert main(["train", "-cn", str(experiment), f"store={store}"]) != 0
    assert "contnt" in capsys.readouterr().err


def test_a_missing_store_is_named_before_any_work(
    train: Callable, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("run", "store=no/such/store") != 0
    assert "no/such/store" in capsys.readouterr().err


def test_debugging_one_batch_is_in_a_folder_of_its_own(
    store: Path, tiny_run: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tiny = [word for word in tiny_run if not word.startswith("trainer.limit")]
    assert main(["train", "-cn", "cpu_meta", *tiny, f"store={store}", "+debug=one_batch"]) == 0
    (run,) = tmp_path.glob("runs/*/*")
    assert run.parent.name == "debug"
    assert state(run)["EpisodeData"]["episodes"] == 2


def test_debugging_by_overfitting_one_person_lowers_the_loss(
    train: Callable, tmp_path: Path
) -> None:
    write_shard(tmp_path / "one", 0, iter([smooth(clip(1))]))
    finish_store(tmp_path / "one")
    words = ["+debug=overfit", f"store={tmp_path / 'one'}", "sitters=null", "batch=1"]
    assert train("run", *words, "log_every=10", "optim.lr_generator=2e-3", epochs=100) == 0
    (curves,) = (tmp_path / "run").glob("logs/**/metrics.csv")
    rows = list(csv.DictReader(curves.open()))
    for term in ("loss/cnt", "loss/pix"):
        assert float(rows[-1][term]) < 0.9 * float(rows[0][term]), term


def smooth(one: ClipFrames) -> ClipFrames:
    """Frames of one ramp instead of noise, which nobody could learn from landmarks."""
    ramp = np.broadcast_to(np.linspace(40, 220, 16)[:, None], (4, 16, 16, 3)).astype(np.uint8)
    return replace(one, frames=iter(ramp))


def test_the_profiler_says_where_the_time_went(train: Callable, tmp_path: Path) -> None:
    assert train("run", "+debug=profiler", f"trainer.profiler.dirpath={tmp_path / 'run'}") == 0
    assert "run_training_batch" in (tmp_path / "run" / "fit-profile.txt").read_text()


def test_a_run_that_becomes_nan_stops_and_keeps_the_last_good_state(
    train: Callable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("run") == 0
    kept = {p.name: p.read_bytes() for p in (tmp_path / "run" / "weights").iterdir()}
    state = (tmp_path / "run" / "checkpoints" / "last.ckpt").read_bytes()
    assert train("run", "ckpt=last", "optim.lr_discriminator=1e38", epochs=2) == 1
    said = capsys.readouterr().err
    assert "loss/" in said and "NaN" in said and "last.ckpt" in said
    assert "Traceback" not in said
    assert (tmp_path / "run" / "checkpoints" / "last.ckpt").read_bytes() == state
    assert {p.name: p.read_bytes() for p in (tmp_path / "run" / "weights").iterdir()} == kept


def test_a_resumed_run_has_the_rates_of_its_configuration(train: Callable, tmp_path: Path) -> None:
    assert train("run") == 0
    before = weights(tmp_path / "run")
    still = "optim={lr_generator: 0, lr_discriminator: 0, lr_video_embeddings: 0}"
    assert train("run", "ckpt=last", still, epochs=2) == 0
    after = weights(tmp_path / "run")
    names = [n for n in before if n.endswith("weight")]
    assert all(torch.equal(before[n], after[n]) for n in names)


def test_averages_are_exported_and_resumed(train: Callable, tmp_path: Path) -> None:
    averaging = "ema.half_life=2"
    assert train("whole", averaging, epochs=2) == 0
    assert train("halves", averaging, epochs=1) == 0
    assert train("halves", averaging, "ckpt=last", epochs=2) == 0
    whole, halves = (
        load_nets(tmp_path / name / "weights" / "nets")[0] for name in ("whole", "halves")
    )
    for one, other in zip(whole, halves, strict=True):
        assert all(
            torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True)
        )
    exported = whole.embedder.layers[0].conv1.weight
    assert not torch.equal(
        exported, weights(tmp_path / "whole")["embedder.layers.0.conv1.weight"].half().float()
    )
    assert train("run", "ema.half_life=0") == 1


def test_auto_goes_on_where_there_is_something_to_go_on_from(
    train: Callable, tmp_path: Path
) -> None:
    assert train("run", "ckpt=auto", epochs=1) == 0
    assert train("run", "ckpt=auto", epochs=2) == 0
    assert train("whole", epochs=2) == 0
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "run")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


@pytest.mark.parametrize(
    ("word", "differs"),
    [
        ("model.bottleneck_blocks=2", "generator"),
        ("optim.lr_video_embeddings=null", "video_embeddings.W"),
    ],
)
def test_a_state_of_other_networks_is_refused_in_a_sentence(
    word: str, differs: str, train: Callable, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("run") == 0
    assert train("run", "ckpt=auto", word, "loss.matching=0", epochs=2) == 1
    said = capsys.readouterr().err
    assert "is of another model or store" in said and differs in said
    assert "Traceback" not in said


def test_all_is_kept_while_the_networks_are_on_their_device(
    train: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lightning takes them to the CPU when the loop has ended."""
    kept: list[bool] = []
    save = CheckpointCallback.run

    def watched(self: CheckpointCallback, trainer: Any, module: Any) -> None:
        kept.append(trainer.training and trainer.state.status == "running")
        save(self, trainer, module)

    monkeypatch.setattr(CheckpointCallback, "run", watched)
    assert train("run", "save_every=2") == 0
    assert kept == [True, True]


def test_where_cuda_cannot_be_deterministic_torch_warns() -> None:
    paper = {"_target_": "headmime.pretrained.caffe_vgg.caffe_vgg"}
    stand_in = {"_target_": "headmime.pretrained.efficientnet.efficientnet_lite0"}
    for perceptual, weights, device, expected in [
        (paper, LossWeights(), "cuda", True),
        (paper, LossWeights(closeup=1), "cuda", "warn"),
        (stand_in, LossWeights(), "cuda", "warn"),
        (stand_in, LossWeights(closeup=1), "cpu", True),
    ]:
        asked = TrainerSettings(deterministic=True)
        settings = Train(trainer=asked, perceptual=perceptual, loss=weights)
        assert determinism(settings, device) == expected
    assert not determinism(Train(perceptual=stand_in), "cuda")


def test_a_sweep_trains_once_for_each_seed(train: Callable, tmp_path: Path) -> None:
    assert train("unused", "-m", "seed=1,2") == 0
    sweep = tmp_path / "runs" / "cpu_meta"
    assert {p.name for p in sweep.iterdir() if p.is_dir()} == {"1", "2"}
    one, two = (weights(sweep / seed) for seed in "12")
    assert not torch.equal(one["video_embeddings.W"], two["video_embeddings.W"])
    assert train("one", "seed=1") == 0
    alone = weights(tmp_path / "one")
    assert all(torch.equal(one[name], alone[name]) for name in alone)


@pytest.mark.parametrize(("native", "resolved"), [(True, "bf16-mixed"), (False, "32-true")])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_precision_follows_the_device(
    device: str, native: bool, resolved: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: native)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": native})
    assert precision("auto", device) == resolved
    assert precision("32-true", device) == "32-true"


@pytest.mark.parametrize("native", [True, False])
def test_emulated_bfloat16_is_warned_of_and_records_say_what_was_used(
    native: bool, train: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": native})
    assert train("auto", "trainer.precision=auto") == 0
    assert ("emulates it" in "".join(capfd.readouterr())) is False
    assert train("asked", "trainer.precision=bf16-mixed") == 0
    assert ("emulates it" in "".join(capfd.readouterr())) is not native
    used = {
        name: json.loads((tmp_path / name / "record.json").read_text())["origin"]["precision"]
        for name in ("auto", "asked")
    }
    assert used == {"auto": "bf16-mixed" if native else "32-true", "asked": "bf16-mixed"}


def test_a_run_without_a_terminal_says_how_far_it_is(
    train: Callable, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(training, "ProgressLines", partial(training.ProgressLines, seconds=0.0))
    assert train("run", "trainer.enable_progress_bar=true", "validation.every=3", epochs=2) == 0
    said = "".join(capfd.readouterr())
    assert "epoch 1 of at most 2, 2 episodes seen; loss/cnt " in said
    assert "epoch 2 of at most 2, 12 episodes seen; loss/cnt " in said
    assert "val/cnt " in said
    assert train("quiet") == 0
    assert "episodes seen; loss" not in "".join(capfd.readouterr())


def test_a_state_is_never_overwritten_by_a_new_training(
    train: Callable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("run") == 0
    before = contents(tmp_path / "run")
    assert train("run", "seed=7") == 1
    assert "holds the state of a training: ckpt=auto resumes it" in capsys.readouterr().err
    assert contents(tmp_path / "run") == before


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_run_says_what_it_is_and_a_refused_resumption_does_not(
    train: Callable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("run") == 0
    written = contents(tmp_path / "run")
    assert "image_size: 16" in written[".hydra/config.yaml"].decode()
    assert "max_epochs=1" in written[".hydra/overrides.yaml"].decode()
    assert "launcher:" in written[".hydra/hydra.yaml"].decode()
    assert train("run", "ckpt=auto", "model.bottleneck_blocks=2", epochs=2) == 1
    assert "of another model or store" in capsys.readouterr().err
    ours = ("record.json", ".hydra/", "checkpoints/", "weights/")
    after = contents(tmp_path / "run")
    assert all(after[name] == written[name] for name in written if name.startswith(ours))


@pytest.mark.parametrize("limit", ["trainer.max_epochs=1", "trainer.max_time='00:00:00:00'"])
def test_a_resumed_training_that_is_over_says_why_it_ends(
    train: Callable, capfd: pytest.CaptureFixture[str], limit: str
) -> None:
    assert train("run") == 0
    assert "count from its beginning" not in "".join(capfd.readouterr())
    assert train("run", "ckpt=last", limit, epochs=2) == 0
    assert "count from its beginning" in "".join(capfd.readouterr())


def test_initial_weights_are_not_overwritten(
    train: Callable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("run") == 0
    (tmp_path / "run" / "checkpoints" / "last.ckpt").unlink()
    before = contents(tmp_path / "run" / "weights")
    assert train("run", f"init={tmp_path / 'run' / 'weights' / 'nets'}") == 1
    assert "would be overwritten by this run" in capsys.readouterr().err
    assert contents(tmp_path / "run" / "weights") == before


def test_a_folder_whose_name_is_no_utf8(train: Callable, tmp_path: Path) -> None:
    name = os.fsdecode(b"gr\xfc\xdfe")
    try:
        (tmp_path / name).mkdir()
    except OSError:
        pytest.skip("this file system takes no such name")
    assert train(name) == 0
    assert train(name, "ckpt=auto", epochs=2) == 0
    assert len(list((tmp_path / name / "grids").iterdir())) == 2


def test_two_trainings_do_not_share_a_folder(
    train: Callable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").mkdir()
    with hold_lock(tmp_path / "run" / ".lock", tmp_path / "run"):
        assert train("run") == 1
    assert "Another process is writing" in (said := capsys.readouterr().err)
    assert "hydra.run.dir=" in said


@pytest.mark.parametrize("damage", ["empty", "cut", "foreign"])
def test_a_damaged_state_is_one_sentence(
    train: Callable, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    assert train("run") == 0
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    if damage == "foreign":
        torch.save({"weights": torch.zeros(2)}, last)
    else:
        last.write_bytes(last.read_bytes()[: 0 if damage == "empty" else 5000])
    assert train("run", "ckpt=auto", epochs=2) == 1
    assert "last.ckpt is damaged or no state of a training" in capsys.readouterr().err
