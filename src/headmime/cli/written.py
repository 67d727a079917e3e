"""Text files that appear when they are complete."""

import os
import uuid
from pathlib import Path


def write_text(file: Path, text: str) -> None:
    """Write `text` under a temporary name in the same folder, then rename it."""
    partial = file.with_name(f".{uuid.uuid4().hex}{file.suffix}")
    try:
        partial.write_text(text)
        os.replace(partial, file)
    finally:
        partial.unlink(missing_ok=True)
