"""The small store, and the result files of its rows."""

from ..evaluation.conftest import context, files, lasting_context, store  # noqa: F401
