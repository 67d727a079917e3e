import pickle

import pytest
import torch

from headmime.errors import HeadmimeError
from headmime.pretrained.weights import read_state_dict


class Bomb:
    def __reduce__(self):
        return (print, ("unpickled!",))


def test_a_pickle_that_runs_code_is_refused(tmp_path, capsys):
    path = tmp_path / "bomb.pth"
    torch.save({"features.0.weight": Bomb()}, path)
    with pytest.raises(HeadmimeError, match="bomb.pth"):
        read_state_dict(path)
    path.write_bytes(pickle.dumps(Bomb(), protocol=2))
    with pytest.raises(HeadmimeError, match="bomb.pth"):
        read_state_dict(path)
    assert "unpickled" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["a.safetensors", "a.pth"])
@pytest.mark.parametrize("content", [b"", b"<html>not found</html>"])
def test_a_file_of_something_else_is_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(HeadmimeError, match=r"cannot|not a state dict"):
        read_state_dict(path)


def test_a_wrapped_state_dict_is_refused(tmp_path):
    path = tmp_path / "wrapped.pth"
    torch.save({"state_dict": {"w": torch.zeros(1)}}, path)
    with pytest.raises(HeadmimeError, match="no plain state dict"):
        read_state_dict(path)
