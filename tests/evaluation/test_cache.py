"""What is kept under a hash."""

import numpy as np
import pytest

from headmime.evaluation.cache import digest, load_or_compute


def test_what_was_made_once_is_read_again_and_broken_off_work_leaves_nothing(tmp_path):
    def broken():
        raise RuntimeError

    with pytest.raises(RuntimeError):
        load_or_compute(tmp_path, "key", broken)
    assert not list(tmp_path.iterdir())
    first = load_or_compute(tmp_path, "key", lambda: {"x": np.arange(3)})
    again = load_or_compute(tmp_path, "key", broken)
    np.testing.assert_array_equal(first["x"], again["x"])


def test_a_digest_sees_values_shapes_and_order():
    x = np.arange(6)
    things = [(x,), (x.reshape(2, 3),), (x.astype(np.int32),), (x[::-1],), ("a", "b"), ("ab",)]
    assert len({digest(*some) for some in things}) == len(things)
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
