"""Join stores of different people into one, with hard-linked shards if possible.

    python tools/join_shards.py OUT STORE [STORE ...]

For stores that were rendered or transferred in parts. The inputs are unchanged.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from headmime.data.shards import finish_store, shard_path
from headmime.data.store import Store
from headmime.errors import HeadmimeError


def join(out: Path, folders: Sequence[Path]) -> Store:
    """Write the store `out`, made of the shards of all. HeadmimeError if it exists, or if a clip
    is in two of them.
    """
    if out.exists():
        raise HeadmimeError(f"{out} exists already: remove it or join into another folder.")
    stores = [Store(folder) for folder in folders]
    for store in stores:
        for shard in sorted(store.folder.glob("shard-*")):
            number = len(list(out.glob("shard-*")))
            shutil.copytree(shard, shard_path(out, number), copy_function=_link_or_copy)
    return finish_store(out, made={"joined": [store.hash for store in stores]})


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def main() -> None:
    out, *folders = map(Path, sys.argv[1:])
    try:
        store = join(out, folders)
    except HeadmimeError as error:
        sys.exit(str(error))
    print(f"{out}: {store.n:,} clips of {len(store.videos):,} videos")


if __name__ == "__main__":
    main()
