"""Personal models that are kept under a hash of everything that made them."""

from collections.abc import Callable
from pathlib import Path

from headmime.nets.checkpoint import Record, checkpoint_files, load_personal, save_personal
from headmime.nets.personal import PersonalGenerator
from headmime.nets.shape import ModelShape


def cached_generator(
    folder: Path,
    key: str,
    make: Callable[[], PersonalGenerator],
    shape: ModelShape,
    record: Record,
) -> PersonalGenerator:
    """What `make` returns, from `<folder>/<key>.safetensors` if it was made before.

    `key` is a hash of all that it depends on; `record` says the same in words. Both the first and
    every later call return what was read from the file.
    """
    stem = folder / key
    if not all(file.is_file() for file in checkpoint_files(stem)):
        save_personal(stem, make(), shape, record)
    return load_personal(stem)[0].eval()
