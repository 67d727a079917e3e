"""What all tests share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real clips and portraits beside the checkout (rows with split == "tune" for choices)."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not (folder / "clips.tsv").is_file():
        pytest.skip(f"no real data: {folder} is absent")
    return folder
