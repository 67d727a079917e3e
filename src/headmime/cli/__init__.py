"""The command `headmime <verb> ...`. Light on imports: a verb's libraries load with the verb."""

import os
import re
import select
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from headmime.errors import HeadmimeError, user_error


@dataclass(frozen=True)
class Verb:
    """A row of the verb table. `module`: its `main`, or what is named behind a colon. `paths`: keys
    taken literally; `lists`: those that may repeat.
    """

    module: str
    summary: str
    paths: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()


DETECTOR_PATHS = ("detector.s3fd", "detector.fan")
PROVENANCE_PATHS = ("provenance.cert", "provenance.key", "provenance.watermark_key")
SCORING = "headmime.cli.scoring"
LEARN_PATHS = ("source", "out", "weights", *DETECTOR_PATHS)
DRIVE_PATHS = (*LEARN_PATHS, "person", "driving", "audio", *PROVENANCE_PATHS)
ROW_PATHS = (
    "store", "weights", "weights_ff", "frames", "results", "memory", "perceptual.vgg19",
    "perceptual.vggface", "perceptual.scales", "scorers.identity.file", "scorers.features.file",
    "scorers.distance.file", *DETECTOR_PATHS,
)  # fmt: skip

VERBS = {
    "demo": Verb(
        "headmime.cli.person:demo",
        "move the Mona Lisa",
        (*LEARN_PATHS, *PROVENANCE_PATHS),
        ("source",),
    ),
    "animate": Verb(
        "headmime.cli.person:animate",
        "drive a person's pictures with a video or a template",
        DRIVE_PATHS,
        ("source",),
    ),
    "live": Verb(
        "headmime.cli.live",
        "a person moves as you do before a camera, at once",
        DRIVE_PATHS,
        ("source",),
    ),
    "web": Verb(
        "headmime.cli.web",
        "the page in the browser, on this machine only",
        ("weights", *DETECTOR_PATHS, *PROVENANCE_PATHS),
    ),
    "finetune": Verb(
        "headmime.cli.person:finetune",
        "learn one person and keep the result for `animate person=`",
        LEARN_PATHS,
        ("source",),
    ),
    "template": Verb(
        "headmime.cli.template",
        "a video's motion as landmarks alone, for driving=; `template show` draws one",
    ),
    "export": Verb(
        "headmime.cli.person:export",
        "a saved person as an ONNX file, for programs without PyTorch",
        ("person", "out"),
    ),
    "preprocess": Verb(
        "headmime.cli.preprocess",
        "a data set of videos becomes a clip store (data=voxceleb2 root=... out=...)",
        ("root", "out", *DETECTOR_PATHS),
    ),
    "train": Verb(
        "headmime.cli.train",
        "meta-train on a store of clips (-cn EXPERIMENT)",
        ("store", "init", "ckpt", "perceptual.vgg19", "perceptual.vggface", "perceptual.scales"),
    ),
    "eval": Verb(
        f"{SCORING}:eval_row",
        "score a model, a baseline or the ceiling: one row of a table (-cn EXPERIMENT)",
        ROW_PATHS,
    ),
    "table": Verb(f"{SCORING}:table", "all rows of a data set (-cn EXPERIMENT)", ROW_PATHS),
    "claims": Verb(
        f"{SCORING}:claims",
        "do the paper's claims hold? trainings, rows, verdicts (-cn claims)",
        (*ROW_PATHS, "claims.runs", "claims.out"),
    ),
    "curves": Verb(
        f"{SCORING}:curves",
        "how long to fine-tune? identity against motion, over updates (-cn finetuning_curves)",
        (*ROW_PATHS, "curves.out"),
    ),
    "recipe": Verb(
        f"{SCORING}:recipe",
        "short trainings with one thing changed each, scored (-cn recipe)",
        (*ROW_PATHS, "recipe.runs", "recipe.out"),
    ),
    "report": Verb(f"{SCORING}:report", "docs/results.md from the results: [FOLDER] [PAGE]"),
    "forensics": Verb(
        f"{SCORING}:forensics",
        "can a detector find a row's frames? AUC on unseen people (-cn EXPERIMENT)",
        (*ROW_PATHS, "forensics.out"),
    ),
    "figures": Verb(
        f"{SCORING}:figures",
        "grids, quality against T, the worst 5 %, videos (-cn EXPERIMENT)",
        (*ROW_PATHS, "figures.out", *PROVENANCE_PATHS),
    ),
    "userstudy": Verb(
        "headmime.cli.userstudy",
        "can people find the generated picture? prepare | serve | report",
        (*ROW_PATHS, "study.out"),
    ),
    "verify": Verb(
        "headmime.cli.verify",
        "what the credentials of files are worth: FILES [--json] [--trust PEM]",
    ),
    "data": Verb(
        "headmime.cli.data",
        "make, look into and check stores: sitters | inspect | verify",
        ("out",),
    ),
}

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
    """Run `headmime <verb> ...`; the exit code is 0, 1 (cannot), 2 (usage), 130 (Ctrl-C) or 141
    (nobody reads what is printed any more).
    """
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
    if not poll.poll(0):  # only what cannot be written to is told of
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), out)  # Python flushes once more when it ends
    return True


def _main(words: list[str]) -> int:
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    if not words or words[0] in ("-h", "--help"):
        print(_usage(), file=sys.stdout if words else sys.stderr)
        return 0 if words else 2
    if words[0] == "--version":
        print(_version())
        return 0
    name, *arguments = words
    if name not in VERBS:
        return _complain(f"There is no verb {name!r}; the verbs are: {', '.join(VERBS)}.", 2)
    return _run(name, arguments, debug)


def _run(name: str, arguments: list[str], debug: bool) -> int:
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    from headmime.cli.arguments import prepare
    from headmime.cli.config import conf_folder, experiments_folder

    verb = VERBS[name]
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors reach us instead of Hydra's own printing
    try:
        prepared = prepare(arguments, verb.paths, verb.lists, conf_folder(), experiments_folder())
        sys.argv = [f"headmime {name}", *prepared]
        module, _, function = verb.module.partition(":")
        getattr(import_module(module), function or "main")()
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
    except (HydraException, OmegaConfBaseException) as error:
        if debug:
            raise
        hint = f"`headmime {name} --help` lists the keys and their values."
        return _complain(f"{_in_one_line(error)} {hint}", 2)
    except (OSError, MemoryError) as error:
        told = user_error(error)
        if debug or told is None:
            raise
        return _complain(str(told), 1)
    return 0


def _in_one_line(error: BaseException) -> str:
    """What Hydra says over several lines and causes, as one sentence after another."""
    from hydra.errors import OverrideParseException

    if isinstance(error, OverrideParseException):
        return f"{error.override!r} is not of the form key=value."
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


def _usage() -> str:
    return USAGE.format(
        verbs="\n".join(f"  {name:12}{verb.summary}" for name, verb in VERBS.items())
    )


def _version() -> str:
    from importlib.metadata import version

    return version("headmime")
