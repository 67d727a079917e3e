"""A folder with tables that say who is in which file, and to which split that person belongs."""

import csv
from collections.abc import Iterator
from pathlib import Path, PurePath

from headmime.data.preprocess.sources import Refusal, Source
from headmime.errors import HeadmimeError

TABLES = ("clips.tsv", "portraits.tsv")
COLUMNS = ("file", "identity", "split")


def listed(root: Path, split: str | None) -> Iterator[Source | Refusal]:
    """The rows of `split` (None: all) of both tables: a video or a single picture each.

    A person is an identity, a video is a file. HeadmimeError if the tables cannot be used.
    """
    tables = [root / name for name in TABLES if (root / name).is_file()]
    if not tables:
        raise HeadmimeError(
            f"root={root} has no {TABLES[0]}: it should be a table with the columns "
            f"{', '.join(COLUMNS)} (docs/data.md)."
        )
    rows = [row for table in tables for row in _rows(table)]
    _check_persons(root, rows)
    chosen = [row for row in rows if split in (None, row["split"])]
    if not chosen:
        known = ", ".join(sorted({row["split"] for row in rows}))
        raise HeadmimeError(
            f"data.split={split} is in no row of {root}'s tables; there is {known}."
        )
    seen: set[str] = set()
    for row in chosen:
        file = row["file"]
        try:
            size = (root / file).stat().st_size
        except OSError as error:
            yield Refusal(file, f"cannot be opened ({error.strerror})")
            continue
        if file in seen:
            yield Refusal(file, "stands in the tables twice")
        else:
            seen.add(file)
            yield Source(row["identity"], file, PurePath(file).stem, file, size)


def _rows(table: Path) -> list[dict[str, str]]:
    try:
        with open(table, encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except (OSError, ValueError) as error:
        raise HeadmimeError(f"{table} cannot be read as text: {error}.") from error
    for number, row in enumerate(rows, start=2):
        if missing := [column for column in COLUMNS if not row.get(column)]:
            raise HeadmimeError(
                f"Line {number} of {table} has no {', '.join(missing)}: columns are separated by "
                "tabs, and their names are in the first line."
            )
    return rows


def _check_persons(root: Path, rows: list[dict[str, str]]) -> None:
    splits: dict[str, str] = {}
    for row in rows:
        first = splits.setdefault(row["identity"], row["split"])
        if first != row["split"]:
            raise HeadmimeError(
                f"{root}'s tables have {row['identity']} in two splits, {first} and "
                f"{row['split']}: a person belongs to one."
            )
