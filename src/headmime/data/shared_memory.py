"""Check of the shared memory that loaders need for batches (small in containers by default)."""

import math
import shutil
from pathlib import Path

from headmime.data.module import PREFETCHED, EpisodeData
from headmime.errors import HeadmimeError

SHARED_MEMORY = Path("/dev/shm")  # used by torch on Linux


def check_shared_memory(data: EpisodeData, processes: int) -> None:
    """Raise HeadmimeError if there is less than the loaders of `processes` on this machine need;
    they would be killed by SIGBUS, without a message.
    """
    needed = processes * data.shared_bytes
    if not needed or not SHARED_MEMORY.is_dir():
        return
    free = shutil.disk_usage(SHARED_MEMORY).free
    if needed > free:
        raise HeadmimeError(
            f"The loaders fill {needed / 1e9:.2g} GB of shared memory (processes {processes} x "
            f"workers {data.workers} x {PREFETCHED} batches of {data.batch} episodes), and "
            f"{SHARED_MEMORY} has {free / 1e9:.2g} GB free: start the container with "
            f"--shm-size={math.ceil(needed / 1e9) + 1}g, or choose fewer workers (workers=0 needs "
            "none) or a smaller batch."
        )
