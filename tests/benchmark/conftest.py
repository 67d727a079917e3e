"""The small store, and the result files of its rows."""

from ..evaluation.conftest import files, lasting_context, store  # noqa: F401
