"""What the system says of files and memory becomes one sentence; defects do not."""

import errno

import pytest

from headmime.errors import HeadmimeError, user_error


@pytest.mark.parametrize(
    "error, sentence",
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "a.mp4"),
            "a.mp4: No space left on device; free",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "a"), "a: Permission denied; write to"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device; free"),
        (MemoryError(), "There is not enough memory"),
        (HeadmimeError("As it is."), "As it is."),
    ],
)
def test_one_sentence(error: Exception, sentence: str) -> None:
    wrapped = RuntimeError("by a library")
    wrapped.__cause__ = error
    for one in (error, wrapped):
        assert str(user_error(one)).startswith(sentence)


@pytest.mark.parametrize(
    "error", [KeyError("x"), BrokenPipeError(errno.EPIPE, "Broken pipe"), None]
)
def test_defects_are_none(error: Exception | None) -> None:
    assert user_error(error) is None
