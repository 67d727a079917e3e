"""Merge the curves of a run, over all of its resumptions, into one CSV and one plot.

python makers/curves.py runs/sitters_128/0 experiments/sitters_128
"""

import csv
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

PANELS = {
    "objective of E and G": ["loss/cnt", "loss/fm", "loss/mch", "loss/pix"],
    "discriminator": ["loss/dsc", "score/real", "score/fake"],
    "share of saturated hinges": ["saturated/real", "saturated/fake"],
    "norms of gradients": ["gradient/embedder", "gradient/generator", "gradient/discriminator"],
    "embeddings": ["embedding/spread", "embedding/distance", "grid/spread"],
    "people not trained on": ["val/cnt", "val/pix", "val/near", "val/sharpness"],
    "validation grid": ["grid/pix", "grid/contrast", "grid/person"],
    "speed (images/s)": ["images_per_s"],
}
STYLES = ["-", "--", ":", "-."]


def main(run: str, out: str) -> None:
    """Read `run`/logs/version_*/metrics.csv; write curves.csv and curves.png into `out`."""
    rows: dict[int, dict[str, float]] = {}
    versions = Path(run).glob("logs/version_*/metrics.csv")
    for file in sorted(versions, key=lambda file: int(file.parent.name.split("_")[1])):
        with file.open() as stream:
            for row in csv.DictReader(stream):  # a step can have several rows
                known = {name: float(value) for name, value in row.items() if value}
                rows.setdefault(int(row["step"]), {}).update(known)
    episodes = sorted(rows)
    names = list(dict.fromkeys(name for step in episodes for name in rows[step]))
    names.remove("step")
    with (Path(out) / "curves.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["episodes", *names])
        for step in episodes:
            known = rows[step]
            writer.writerow([step, *(f"{known[n]:.4g}" if n in known else "" for n in names)])
    panels = {title: [c for c in curves if c in names] for title, curves in PANELS.items()}
    panels = {title: curves for title, curves in panels.items() if curves}
    figure, axes = plt.subplots(len(panels), 1, figsize=(7, 2.2 * len(panels)), sharex=True)
    for axis, (title, curves) in zip(axes, panels.items(), strict=True):
        for name, style in zip(curves, STYLES, strict=False):
            points = [(step, rows[step][name]) for step in episodes if name in rows[step]]
            axis.plot(*zip(*points, strict=True), style, color="black", lw=1, label=name)
        axis.set_title(title, fontsize=9)
        axis.legend(fontsize=7)
    axes[-1].set_xlabel("episodes seen")
    figure.tight_layout()
    figure.savefig(Path(out) / "curves.png", dpi=90)


if __name__ == "__main__":
    main(*sys.argv[1:])
