"""The page made of result files."""

import json
import shutil

from headmime.benchmark.report import report
from headmime.evaluation.paper import paper_numbers


def test_one_person_s_difference_has_no_interval(files, tmp_path):
    folder = shutil.copytree(files["ft"].parent, tmp_path / "results")
    for name, value in (("ft", 0.5), ("warp", 0.25)):
        file = folder / files[name].name
        content = json.loads(file.read_text())
        content["persons"]["ssim"] = {"person-0": value}
        file.write_text(json.dumps(content))
    page = report(sorted(folder.glob("*.json")), "headmime report")
    assert "no difference to the warp is shown in ssim +0.250 (one person)" in page
    assert "nan" not in page


def test_the_page_says_what_does_not_beat_the_warp(files):
    page = report(sorted(files.values()), "headmime report")
    assert "made up: self-reenactment" in page
    assert "does not beat the warp" in page
    assert "(a stand-in)" in page and "Not comparable" in page
    assert "Beside the paper" not in page
    shown, _, folded = page.partition("<details>")
    assert "| " not in shown and "(a stand-in)" in shown  # which table, then its numbers
    assert folded.endswith("\n</details>\n")
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert any(line.startswith("| real frames (ceiling), T = 8 | 0.0") for line in rows)
    assert "`headmime eval method=warp`" in page


def test_rows_of_an_older_fine_tuning_are_marked(files, tmp_path):
    content = json.loads(files["ft"].read_text())
    made = {"older": ("2026-01-01", 10, 0.1), "newer": ("2026-01-02", 80, 0.1)}
    paths = []
    for name, (date, epochs, scale) in made.items():
        content["origin"]["date"] = date
        content["row"]["finetune"] = {"epochs": epochs, "jitter": {"scale": scale}}
        content["row"]["T"] = 1 if name == "older" else 8
        paths.append(tmp_path / f"{name}.json")
        paths[-1].write_text(json.dumps(content))
    lines = report([files["warp"], *paths], "headmime report").splitlines()
    assert sum(line.startswith("| FT (fine-tuned), T = 1 † |") for line in lines) >= 1
    assert sum(line.startswith("| FT (fine-tuned), T = 8 |") for line in lines) >= 1
    said = [line for line in lines if "fine-tuning differs from the newest row" in line]
    assert len(said) == 1
    assert said[0].startswith("- FT (fine-tuned), T = 1 †:") and said[0].endswith(": epochs=10")


def test_paper_s_numbers_stand_only_beside_the_paper_s_data_and_networks(files, tmp_path):
    """The same file, but said to be VoxCeleb2 at 256 with the networks of the literature."""
    content = json.loads(files["ft"].read_text())
    content["row"].update(dataset="VoxCeleb2", size=256)
    stand_in = tmp_path / "a.json"
    stand_in.write_text(json.dumps(content))
    stand_in.with_suffix(".npz").write_bytes(files["ft"].with_suffix(".npz").read_bytes())
    assert "Beside the paper" not in report([stand_in], "x")
    content["stand_in"] = False
    stand_in.write_text(json.dumps(content))
    page = report([stand_in], "x")
    assert "Beside the paper" in page and "42.2" in page and "0.68?" in page
    assert paper_numbers("sitters", "ft", 8) is None
