"""The command itself: verbs, help, errors. What a verb does is tested with the verb."""

import os
import signal
import subprocess
import sys
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from headmime.cli import VERBS, main, scoring
from headmime.cli.arguments import PATHS
from headmime.cli.config import conf_folder, experiments_folder, plain_errors
from headmime.errors import HeadmimeError
from headmime.files import write_atomically

# Python's own start and the modules that hold everything else up; none is light.
HEAVY = {"torch", "hydra", "cv2", "av", "numpy", "pytorch_lightning", "rich"}


def test_help_names_every_verb() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "headmime.cli", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert all(f"\n  {name}" in done.stdout for name in VERBS)


def test_help_loads_nothing_heavy() -> None:
    code = "import sys, headmime.cli as c; c.main(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "headmime.cli" in loaded and all(map(find_spec, HEAVY))
    assert not HEAVY & loaded


def test_the_api_loads_when_it_is_used() -> None:
    code = """
import sys, headmime
assert not {"torch", "numpy"} & set(sys.modules)
assert all(callable(getattr(headmime, name)) for name in headmime.__all__)
from headmime.animate import media_writer  # the package of the same name as the verb
assert callable(headmime.animate)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_verb_has_a_function() -> None:
    for verb in VERBS.values():
        module, _, function = verb.function.partition(":")
        assert callable(getattr(import_module(f"headmime.{module}"), function))
        assert set(verb.files) <= PATHS


def test_without_a_verb_the_usage_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage: headmime <verb>" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--help"], ["verify", "--help"], ["data", "sitters", "--help"]])
def test_a_reader_that_ends_early_is_no_error(words: list[str]) -> None:
    """As in `headmime ... | head`: what is printed goes nowhere, without a traceback."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        command = [sys.executable, "-m", "headmime.cli", *words]
        done = subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE, text=True)
    assert done.stderr == "" and done.returncode in (0, 141)  # 0: argparse does not mind


def test_another_broken_pipe_stays_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(settings: scoring.Report) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(scoring, "report", broken)
    with pytest.raises(BrokenPipeError):
        main(["report"])


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip()[0].isdigit()


def test_an_unknown_verb_is_refused_with_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["anmate", "source=x"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "'anmate'" in said
    assert all(name in said for name in VERBS)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sorce=x"], "'sorce'"),
        (["finetune.epoch=1"], "'finetune.epoch'"),
        (["finetune=best"], "default fast none paper"),
        (["seed=x"], "seed=x"),
        (["lonely"], "'lonely' is not of the form key=value"),
        (
            ["motion=a=b"],
            "motion=a=b cannot be read: a value with such characters needs quotes",
        ),
    ],
)
def test_what_the_configuration_does_not_know_is_a_sentence(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["animate", *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "`headmime animate --help`" in error
    assert error.count("\n") == 1


def test_help_of_a_verb(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("animate", "finetune", "demo"):
        assert main([name, "--help"]) == 0
        said = capsys.readouterr().out
        assert f"headmime {name}" in said
        assert "weights=bundled" in said


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> type:
    """Any verb; it raises the class attribute `error`, wrapped as Hydra does it."""

    class Module:
        error: BaseException

    @plain_errors
    def task(config: object) -> None:
        try:
            raise Module.error
        except Exception as error:
            raise RuntimeError("instantiation failed") from error

    monkeypatch.setattr("headmime.cli.config.run_verb", lambda verb, config: task(None))
    return Module


def test_an_error_of_the_user_is_one_sentence(
    failing: type, capsys: pytest.CaptureFixture[str]
) -> None:
    failing.error = HeadmimeError("x.jpg is missing.")
    assert main(["report"]) == 1
    assert capsys.readouterr().err == "headmime: x.jpg is missing.\n"


def test_debug_shows_where_it_came_from(failing: type) -> None:
    failing.error = HeadmimeError("x.jpg is missing.")
    with pytest.raises(RuntimeError) as caught:
        main(["report", "--debug"])
    assert caught.value.__cause__ is failing.error


def test_an_error_of_ours_stays_raw(failing: type) -> None:
    failing.error = ZeroDivisionError()
    with pytest.raises(RuntimeError):
        main(["report"])


def test_ctrl_c_is_said_and_has_its_exit_code(
    failing: type, capsys: pytest.CaptureFixture[str]
) -> None:
    failing.error = KeyboardInterrupt()
    assert main(["report"]) == 130
    assert capsys.readouterr().err.strip() == "Stopped."


def test_configuration_and_experiments_are_found() -> None:
    assert (conf_folder() / "animate.yaml").is_file()
    assert list(experiments_folder().glob("*.yaml"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_one_sentence_and_leaves_no_partial_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
    number: signal.Signals,
) -> None:
    # nohup ignores SIGHUP, and then the verb does too
    with_default = signal.signal(number, signal.SIG_DFL)
    request.addfinalizer(lambda: signal.signal(number, with_default))

    def task(verb: object, config: str) -> None:
        with write_atomically(tmp_path / "out.mp4") as partial:
            partial.write_bytes(b"half")
            os.kill(os.getpid(), number)
            time.sleep(60)

    monkeypatch.setattr("headmime.cli.config.run_verb", task)
    assert main(["report"]) == 128 + number
    assert capsys.readouterr().err == f"headmime: Stopped by {number.name}.\n"
    assert not list(tmp_path.iterdir())
    assert signal.getsignal(number) is signal.SIG_DFL


def test_signals_that_are_ignored_stay_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under nohup; and a forked child ends as it would without the verb."""

    def task(verb: object, config: str) -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        if (child := os.fork()) == 0:
            os.kill(os.getpid(), signal.SIGTERM)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM

    monkeypatch.setattr("headmime.cli.config.run_verb", task)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert main(["report"]) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_names_that_a_terminal_cannot_show_are_escaped(encoding: str, tmp_path: Path) -> None:
    """What is printed last must not be lost after all the work."""
    name = os.fsdecode(b"gr\xc3\xbc\xdfe")  # a letter beyond ASCII, and a byte that is no UTF-8
    code = f"""
import headmime.cli, sys
headmime.cli._main = lambda words: print({name!r}) or print({name!r}, file=sys.stderr) or 0
sys.exit(headmime.cli.main())
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": encoding},
    )
    assert done.returncode == 0
    assert b"udcdfe" in done.stdout and b"udcdfe" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["store=~nobody-of-this-name/x"], "there is no such user here"),
        (["~nobody-of-this-name"], "there is no such user here"),
        (["x" * 5000], "File name too long"),
        ([f"out={'x' * 5000}"], "store"),
        (["store", "hydra/launcher=-1"], "must be a string or a list"),
        (["store", "--resolve"], "--resolve flag can only be used"),
    ],
)
def test_words_that_campaigns_found(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["data", "inspect", *words]) in (1, 2)
    (sentence,) = capsys.readouterr().err.splitlines()
    assert said in sentence


@pytest.mark.parametrize("key", ["sitters.n=3", "sitters={n: 3}"])
def test_keys_of_a_key_that_is_null_are_refused_in_a_sentence(
    key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", "-cn", "eval_store", key]) == 2
    assert "set it in a file in experiments/" in capsys.readouterr().err
