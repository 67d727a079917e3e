"""`headmime report`: result files -> docs/results.md."""

import argparse
import os
import sys
import uuid
from pathlib import Path

from headmime.errors import HeadmimeError
from headmime.evaluation.report import report


def main() -> None:
    """Read every result of a folder and write the page."""
    parser = argparse.ArgumentParser("headmime report", description="Tables from result files.")
    parser.add_argument("results", nargs="?", default="runs/results", help="folder of result files")
    parser.add_argument("out", nargs="?", default="docs/results.md", help="the page")
    given = parser.parse_args()
    folder, out = Path(given.results).expanduser(), Path(given.out).expanduser()
    files = sorted(folder.glob("*.json"))
    if not files:
        raise HeadmimeError(f"{folder} holds no results: `make eval` and `make table1` make them.")
    page = report(files, " ".join(["headmime", "report", *sys.argv[1:]]))
    partial = out.with_name(f".{uuid.uuid4().hex}.md")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(page)
        os.replace(partial, out)
    finally:
        partial.unlink(missing_ok=True)
    print(out)
