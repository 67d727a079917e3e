"""The small store and the scoring networks of tests/evaluation."""

from ...evaluation.conftest import context, face, store  # noqa: F401
