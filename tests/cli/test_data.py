"""`headmime data`: its errors; what it makes is tested with the sitters."""

import pytest

from headmime.cli import main


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["sitters", "out=x"], 1, "n= is missing"),
        (["sitters", "n=2"], 1, "out= is missing"),
        (["sitters", "n=2", "out=x", "colour=red"], 2, "colour"),
        (["sitters", "n=two", "out=x"], 2, "two"),
        (["sisters", "n=2"], 1, "there is only `headmime data sitters`"),
    ],
)
def test_errors_are_one_sentence(words, code, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["data", *words]) == code
    output = capsys.readouterr().err
    assert said in output
    assert "Traceback" not in output
    assert list(tmp_path.iterdir()) == []


def test_help(capsys):
    assert main(["data"]) == 0
    assert "sitters" in capsys.readouterr().out
    assert main(["data", "sitters", "--help"]) == 0
    assert "frames=" in capsys.readouterr().out
