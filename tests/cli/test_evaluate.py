"""`headmime eval`, `table` and `report` as typed, on a few small frames."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headmime.animate.person import finetune_settings
from headmime.benchmark.methods import Methods
from headmime.benchmark.settings import RowSettings
from headmime.cli import main
from headmime.data.shards import finish_store, write_shard
from headmime.data.store import Store
from headmime.evaluation.trials import resize_all

from .conftest import clip

SMALL = [
    "split=train",
    "videos=2",
    "held_out=2",
    "sources=2",
    "finetune.minimum_steps=0",
    "finetune.epochs=1",
    "finetune.rehearsal=0",
    "dataset=made up",
]


@pytest.fixture
def words(store: Path, tiny_weights: Path, tmp_path: Path) -> list[str]:
    """Keys of small rows, kept under tmp_path."""
    return [
        *("-cn", "eval_store", *SMALL, f"store={store}", f"weights={tiny_weights}"),
        *(f"results={tmp_path / 'results'}", f"memory={tmp_path / 'memory'}"),
    ]


def results(folder: Path) -> list[dict]:
    return [json.loads(file.read_text()) for file in sorted((folder / "results").glob("*.json"))]


@pytest.mark.slow
def test_a_missing_store_of_sitters_is_rendered_as_the_verb_renders_it(words, tmp_path):
    folder = tmp_path / "sitters"
    row = ["eval_sitters", *(word for word in words[2:] if not word.startswith("store="))]
    sitters = {"n": 2, "frames": 6, "size": 16, "seed": 3}
    keys = ", ".join(f"{key}: {value}" for key, value in sitters.items())
    assert (
        main(["eval", "-cn", *row, f"store={folder}", f"sitters={{{keys}}}", "method=copy", "T=1"])
        == 0
    )
    assert len(results(tmp_path)) == 1
    typed = [f"{key}={value}" for key, value in sitters.items()]
    assert main(["data", "sitters", *typed, f"out={tmp_path / 'same'}"]) == 0
    assert Store(folder).hash == Store(tmp_path / "same").hash


def test_a_row_a_table_and_the_page(words, tmp_path, capsys):
    assert main(["eval", *words, "method=copy", "T=1"]) == 0
    printed = capsys.readouterr().out
    assert "ssim " in printed and printed.rstrip().endswith(".json")
    (row,) = results(tmp_path)
    assert (row["row"]["method"], row["row"]["T"], row["row"]["checkpoint"]) == ("copy", 1, None)
    assert row["stand_in"] and row["scorers"]["identity"]["files"]
    assert row["metrics"]["ssim"]["n"] == 4
    assert "note" in row["metrics"]["fid"]  # 4 images
    command = row["origin"]["command"]
    assert command.startswith("headmime eval -cn eval_store split=train")
    assert "store=/" in command and "'dataset=made up'" in command
    assert command.endswith("method=copy T=1") and "memory" not in command

    before = next((tmp_path / "results").glob("*.json")).stat().st_mtime_ns
    table = [*words, "table.methods=[copy,warp,ff,ft]", "table.Ts=[1]"]
    assert main(["table", *table]) == 0
    kept = {row["row"]["method"]: row for row in results(tmp_path)}
    assert set(kept) == {"copy", "warp", "ff", "ft"}
    copy = next((tmp_path / "results").glob("self-copy*.json"))
    assert copy.stat().st_mtime_ns == before  # not run again
    assert len(kept["ff"]["row"]["checkpoint"]) == 64 and kept["ff"]["row"]["finetune"] is None
    assert kept["ft"]["row"]["finetune"]["epochs"] == 1
    assert kept["ft"]["row"]["perceptual"]["stand_in"] is True
    people = sorted((tmp_path / "memory" / "people").iterdir())
    assert [file.suffix for file in people] == 2 * [".json", ".safetensors"]
    (protocol,) = (tmp_path / "results" / "protocols").iterdir()
    assert len(json.loads(protocol.read_text())["cases"]) == 2

    page = tmp_path / "docs" / "page.md"
    assert main(["report", str(tmp_path / "results"), str(page)]) == 0
    text = page.read_text()
    assert "## made up: self-reenactment, absolute motion" in text
    assert "FF (feed-forward), T = 1" in text and "Beside the paper" not in text


def test_portraits_are_driven_by_the_videos_beside_them(words, tmp_path):
    """Two people's videos and a single picture; the picture is no video that is too short."""
    folder = tmp_path / "with a portrait"
    write_shard(folder, 0, [clip(1), clip(2), replace(clip(3, 1), video="portrait.png")])
    finish_store(folder)
    words = [*words, f"store={folder}", "method=copy", "T=1"]
    assert main(["eval", *words, "mode=portrait", "drivers=2"]) == 0
    assert main(["eval", *words, "mode=self", "videos=3"]) == 0
    portrait, alone = results(tmp_path)
    assert (portrait["row"]["mode"], portrait["row"]["trials"]) == ("portrait", 2)
    assert list(portrait["persons"]["nearer"]) == ["person 3"]
    assert (alone["row"]["persons"], alone["left_out"]) == (2, 0)


def test_two_machines_share_a_table(words, tmp_path):
    table = [*words, "table.methods=[copy,nearest,mean]", "table.Ts=[1]", "table.parts=2"]
    assert main(["table", *table, "table.part=1"]) == 0
    assert [row["row"]["method"] for row in results(tmp_path)] == ["nearest"]
    assert main(["table", *table, "table.part=0"]) == 0
    assert {row["row"]["method"] for row in results(tmp_path)} == {"copy", "nearest", "mean"}


def test_frames_of_another_system_are_a_row(words, tmp_path, capsys):
    """Here all black: `people` of the split train, two frames each."""
    for person in range(1, 7):
        folder = tmp_path / "their frames" / f"person {person}" / "video"
        folder.mkdir(parents=True)
        for k in range(2):
            Image.new("RGB", (20, 20)).save(folder / f"{k}.png")
    theirs = [*words, "method=frames", "T=1", f"frames={tmp_path / 'their frames'}"]
    assert main(["eval", *theirs]) == 0
    (row,) = results(tmp_path)
    assert len(row["row"]["frames"]) == 64 and row["row"]["checkpoint"] is None
    assert f"'frames={tmp_path / 'their frames'}'" in row["origin"]["command"]
    page = tmp_path / "page.md"
    assert main(["report", str(tmp_path / "results"), str(page)]) == 0
    assert "| frames of another system, T = 1 |" in page.read_text()
    assert main(["eval", *words, "method=frames", "T=1"]) == 1
    assert "method=frames needs frames=DIR" in capsys.readouterr().err


def test_what_the_page_writes_for_another_system_comes_back_as_a_row(
    words, store, tmp_path, monkeypatch
):
    """docs/guide/evaluate.md's program, after which the other system returns the driving frames."""
    page = (Path(__file__).parents[2] / "docs" / "guide" / "evaluate.md").read_text()
    (program,) = re.findall(r"```python\n(.*?)```", page, re.S)
    for said, here in (
        ("runs/stores/sitters_eval", str(store)),
        ("videos=50, held_out=32, sources=32", "videos=2, held_out=2, sources=2"),
    ):
        assert said in program
        program = program.replace(said, here)
    monkeypatch.chdir(tmp_path)
    exec(program, {})
    driving = sorted(Path("theirs-inputs").rglob("driving"))
    assert len(driving) == 2
    for folder in driving:
        assert np.load(folder.with_suffix(".npy")).shape == (2, 68, 2)
        assert len(list((folder.parent / "source").iterdir())) == 2
        folder.rename(folder.parent.with_name("frames"))
        shutil.rmtree(folder.parent)
        folder.parent.with_name("frames").rename(folder.parent)
    assert main(["eval", *words, "method=frames", "T=2", "frames=theirs-inputs"]) == 0
    (row,) = results(tmp_path)
    assert row["metrics"]["ssim"]["value"] == pytest.approx(1)


def test_keys_of_another_verb_are_unknown(words, capsys):
    assert main(["eval", *words, "method=copy", "T=1", "table.Ts=[1]"]) == 2
    assert "table" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("method=best", "method=best is not known; choose one of ff, ft, frames, warp"),
        ("mode=other", "mode=other is not known; choose one of self, cross, truth"),
        ("motion=fast", "motion=fast is not known"),
        ("T=3", "T=3 should be from 1 to sources=2"),
        ("sources=40", "has 2 held-out and 40 source frames: ask for fewer"),
        ("store=/nowhere", "/nowhere is not a finished clip store"),
        ("mode=truth", "no cross-reenactment with truth"),
        ("mode=portrait", "mode=portrait needs single images, and"),
        ("scorers=paper", "scorers.identity.file is not set: pass scorers.identity.file=FILE"),
    ],
)
def test_what_a_user_can_get_wrong_is_one_sentence(words, wrong, sentence, capsys):
    assert main(["eval", *words, "method=copy", "T=1", wrong]) == 1
    error = capsys.readouterr().err
    assert sentence in error.replace("\n", " ") and "Traceback" not in error


@pytest.mark.parametrize("mode", ["cross", "portrait"])
def test_real_frames_are_no_row_without_truth(words, mode, capsys):
    assert main(["eval", *words, f"mode={mode}", "method=real", "T=1"]) == 1
    assert "method=real needs true frames" in capsys.readouterr().err


def test_a_single_picture_has_no_second_frame(words, capsys):
    assert main(["eval", *words, "mode=portrait", "method=copy", "T=2"]) == 1
    assert "T=2: mode=portrait has one image" in capsys.readouterr().err


def test_a_report_of_nothing_says_how_to_make_results(tmp_path, capsys):
    assert main(["report", str(tmp_path), str(tmp_path / "page.md")]) == 1
    assert "holds no results: `make eval`" in capsys.readouterr().err


def test_a_report_does_not_overwrite_results(tmp_path, capsys):
    (tmp_path / "row.json").write_text("{}")
    assert main(["report", str(tmp_path), str(tmp_path / "row.json")]) == 1
    assert "is the input" in capsys.readouterr().err
    assert (tmp_path / "row.json").read_text() == "{}"


def test_another_perceptual_side_is_another_person(store: Path, tiny_weights: Path) -> None:
    """The keys of cached people differ; 0.1.0 could not tell them apart."""
    target = "headmime.pretrained.efficientnet.efficientnet_lite0"
    keys = {
        Methods(
            RowSettings(
                weights=str(tiny_weights),
                device="cpu",
                seed=0,
                perceptual={"_target_": target, "side": side},
            ),
            Store(store),
        ).key("ft")
        for side in (None, 64, 96)
    }
    assert len(keys) == 3


def test_settings_are_recorded_as_0_1_0_did(store: Path, tiny_weights: Path) -> None:
    """Else rows and people of `finetune=default` would be made again. L_MCH's weight had no use."""
    finetune = replace(finetune_settings("default"), bfloat16=False, rehearsal=0)
    settings = RowSettings(
        weights=str(tiny_weights),
        device="cpu",
        seed=0,
        finetune=finetune,
        perceptual={
            "_target_": "headmime.pretrained.efficientnet.efficientnet_lite0",
            "side": None,
        },
    )
    recorded = Methods(settings, Store(store)).origin_of("ft")["finetune"]
    assert recorded == {
        "epochs": 100, "minimum_steps": 100, "maximum_steps": 200, "batch": 4, "lr_generator": 3e-4,
        "lr_psi": 3e-3, "lr_discriminator": 4e-4, "beta2": 0.99, "eps": 1e-8,
        "discriminator_steps": 1, "rehearsal": 0, "rehearsal_frames": None, "bfloat16": False,
        "seed": 0, "jitter": {"rotation": 10.0, "scale": 0.1, "shift": 0.05},
        "weights": {
            "content": 1.0, "adversarial": 0.25, "feature_matching": 2.0, "matching": 10.0,
            "pixel": 2.0, "closeup": 1.0,
        },
    }  # fmt: skip


def test_a_model_s_images_are_enlarged_to_the_row_s_size(store: Path, tiny_weights: Path) -> None:
    """The model itself works at its own side, whatever the frames' size."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (2, 32, 32, 3), dtype=np.uint8)
    points, asked = rng.random((2, 68, 2), np.float32), rng.random((3, 68, 2), np.float32)
    own, larger = (
        Methods(RowSettings(weights=str(tiny_weights), device="cpu", size=size), Store(store))
        for size in (None, 32)
    )
    small = own.adapt("ff")(resize_all(frames, 16), points)(asked)
    assert small.shape == (3, 16, 16, 3)
    assert np.array_equal(larger.adapt("ff")(frames, points)(asked), resize_all(small, 32))
