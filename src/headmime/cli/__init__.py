"""The command `headmime <verb> ...`. Light on imports: a verb's libraries load with the verb."""

import io
import os
import re
import select
import signal
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

from headmime.cli.verbs import VERBS as VERBS
from headmime.errors import HeadmimeError, Terminated, user_error

NULL_KEY = (
    "A key with keys of its own that is null by default (sitters, cluster ...) takes no values on "
    "the command line: set it in a file in experiments/, as eval_sitters.yaml does."
)
# Where Hydra's messages turn to its own internals.
INTERNALS = ("\n    full_key", "\nTo append to", "\nConfig search path")

USAGE = """\
headmime: few-shot talking heads.

usage: headmime <verb> [key=value ...] [--debug]

{verbs}

headmime <verb> --help   what a verb takes
headmime --version       the installed version
--debug                  a traceback instead of one sentence
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `headmime <verb> ...`; the exit code is 0, 1 (cannot), 2 (usage), 128 + a signal's number
    (130 for Ctrl-C) or 141 (nobody reads what is printed any more).
    """
    for stream in (sys.stdout, sys.stderr):  # a terminal may lack the characters of a name
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _main(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
    except BrokenPipeError:
        if not _nobody_reads():
            raise
        return 141
    return code


def _nobody_reads() -> bool:
    """Whether standard output is a pipe into a program that has ended, such as `head`."""
    out = sys.stdout.fileno()
    poll = select.poll()
    poll.register(out, 0)
    if not poll.poll(0):  # only pipes that cannot be written to are reported
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), out)  # Python flushes once more when it ends
    return True


def _main(words: list[str]) -> int:
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    if not words or words[0] in ("-h", "--help"):
        print(USAGE.format(verbs=_list_verbs(VERBS)), file=sys.stdout if words else sys.stderr)
        return 0 if words else 2
    if words[0] == "--version":
        from importlib.metadata import version

        print(version("headmime"))
        return 0
    if words[0] == "recipe":
        return _complain("`headmime recipe` is now `headmime ablations`, its keys ablations.*.", 2)
    name = next((name for name in (" ".join(words[:2]), words[0]) if name in VERBS), None)
    if name is not None:
        return _run(name, words[len(name.split()) :], debug)
    family = [verb for verb in VERBS if verb.startswith(f"{words[0]} ")]
    if family and set(words[1:]) <= {"-h", "--help"}:
        print(_list_verbs(family))
        return 0
    said = " ".join(words[: 2 if family else 1])
    return _complain(f"There is no verb {said!r}; the verbs are: {', '.join(family or VERBS)}.", 2)


def _run(name: str, arguments: list[str], debug: bool) -> int:
    if {"-h", "--help"} & set(arguments):
        from headmime.cli.help import help_text

        print(help_text(name))
        return 0
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    from headmime.cli.arguments import refuse

    if refusal := refuse(name, arguments):
        return _complain(refusal, 2)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors reach us instead of Hydra's own printing
    try:
        with _signals(name):
            _compose_and_call(name, arguments)
    except Terminated as stop:
        return _complain(f"Stopped by {signal.Signals(stop.number).name}.", 128 + stop.number)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    except SystemExit as stop:
        if debug and stop.__cause__ is not None:
            raise stop.__cause__ from stop.__cause__.__cause__
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
            return 1
        return stop.code or 0
    except HeadmimeError as error:
        if debug:
            raise
        return _complain(str(error), 1)
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        if debug or (isinstance(error, ValueError) and not _is_of_hydra(error)):
            raise
        hint = f"`headmime {name} --help` lists the keys and their values."
        return _complain(f"{_in_one_line(error)} {hint}", 2)
    except (AssertionError, AttributeError) as error:
        if debug or not _is_of_hydra(error):
            raise
        return _complain(NULL_KEY, 2)
    except (OSError, MemoryError) as error:
        told = user_error(error)
        if debug or told is None:
            raise
        return _complain(str(told), 1)
    return 0


@contextmanager
def _signals(name: str) -> Iterator[None]:
    """Raise Terminated on the first SIGTERM or SIGHUP, so that no unfinished file is left; not in
    `train`, which saves its state, and not where they are ignored (nohup).
    """
    process, before = os.getpid(), {}

    def stop(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL if os.getpid() != process else signal.SIG_IGN)
        if os.getpid() != process:  # a forked child ends as it would without this handler
            os.kill(os.getpid(), number)
            return
        raise Terminated(number)

    if name != "train" and threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:
                before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _compose_and_call(name: str, arguments: list[str]) -> None:
    from headmime.cli import config
    from headmime.cli.arguments import prepare
    from headmime.cli.help import verb_configs

    verb = VERBS[name]
    words = prepare(name, arguments, config.conf_folder(), config.experiments_folder())
    sys.argv = [f"headmime {name}", *words]
    module, _, function = verb.function.partition(":")
    called = getattr(import_module(f"headmime.{module}"), function)
    if name == "train":  # has a hydra.main of its own, whose module names the log file
        called()
        return
    composed = verb_configs(name)[-1]
    if composed == "evaluate":  # an experiment may name any study
        import_module("headmime.cli.scoring").register_schemas()
    else:
        config.register_schema(called, composed)
    config.run_verb(called, composed)


def _is_of_hydra(error: BaseException) -> bool:
    """Whether Hydra or OmegaConf raised it, about a command line that they cannot use."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return frame.f_globals.get("__name__", "").startswith(("hydra.", "omegaconf."))


def _in_one_line(error: BaseException) -> str:
    """What Hydra says over several lines and causes, as one sentence after another."""
    from hydra.errors import OverrideParseException

    if isinstance(error, OverrideParseException):
        key, equals, value = str(error.override).partition("=")
        if not equals:
            return f"{error.override!r} is not of the form key=value."
        return (
            f"{key}={value} cannot be read: a value with such characters needs quotes of its own, "
            f"as in \"{key}='{value}'\"; a list or a set of keys ends with its bracket."
        )
    said: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        text = re.split("|".join(INTERNALS), str(cause))[0]
        line = " ".join(text.split()).rstrip(".:")
        if line and not any(line in earlier for earlier in said):
            said.append(line)
        cause = cause.__cause__
    return ". ".join(said) + "."


def _complain(sentence: str, code: int) -> int:
    print(f"headmime: {sentence}", file=sys.stderr)
    return code


def _list_verbs(names: Iterable[str]) -> str:
    return "\n".join(f"  {name:19}{VERBS[name].summary}" for name in names)
