"""`headmime web` before it serves; tests/docs runs what docs/guide/web.md prints."""

import pytest

from headmime.cli import main


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("weights=gone", "gone"),
        ("limits.minutes=3", "minutes"),
        ("device=toaster", "device=toaster"),
    ],
)
def test_what_cannot_be_is_said_before_any_work(
    word: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["web", word]) in (1, 2)
    assert said in capsys.readouterr().err
