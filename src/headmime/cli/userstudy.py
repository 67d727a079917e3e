"""`headmime userstudy prepare | serve | report`: the paper's user study, on this machine."""

import argparse
import sys
import webbrowser
from pathlib import Path

from headmime.cli.scoring import userstudy_prepare
from headmime.errors import HeadmimeError
from headmime.files import write_text
from headmime.studies.userstudy.answers import FILE, Answers
from headmime.studies.userstudy.report import CHANCE, User, to_csv, to_json, user_score
from headmime.studies.userstudy.server import StudyServer
from headmime.studies.userstudy.study import load_study

USAGE = """\
usage: headmime userstudy <what> ...

  prepare   draw triplets and generate their pictures: -cn EXPERIMENT study.out=STUDY key=value ...
  serve     the study's page on this machine, until Ctrl-C: STUDY [--port N]
  report    USER of each row, from the answers so far, also as a file: STUDY [--csv FILE]

STUDY is the study's folder. headmime userstudy <what> --help   what it takes
"""
PORT = 8765
RESULT = "user.json"


def main() -> None:
    """Hand the rest of the command line to what its first word names."""
    what, *arguments = sys.argv[1:] or ["--help"]
    if what in ("-h", "--help"):
        print(USAGE, end="")
    elif what == "prepare":
        sys.argv = ["headmime userstudy prepare", *arguments]
        userstudy_prepare()
    elif what == "serve":
        serve(arguments)
    elif what == "report":
        report(arguments)
    else:
        raise HeadmimeError(
            f"headmime userstudy {what}: there are `prepare`, `serve` and `report`."
        )


def serve(arguments: list[str]) -> None:
    """Serve the page until Ctrl-C."""
    parser = _parser("serve", "Serve the study's page on 127.0.0.1 until Ctrl-C.")
    parser.add_argument("--port", type=int, default=PORT, help=f"default: {PORT}; 0: a free one")
    parser.add_argument(
        "--consent",
        type=Path,
        metavar="FILE",
        help="a text whose paragraphs stand in place of the page's own on what is kept",
    )
    parser.add_argument("--open", action="store_true", help="open the page in a browser here")
    options = parser.parse_args(arguments)
    with StudyServer(options.study, options.port, _text(options.consent)) as server:
        study = server.study
        print(f"{study.title}: {len(study.triplets)} triplets at {server.url}")
        print(_origin(study.sequences))
        print(f"Answers go to {server.answers.path}. Ctrl-C stops; serving again goes on.")
        sys.stdout.flush()
        if options.open:
            webbrowser.open(server.url)
        server.serve_forever()


def report(arguments: list[str]) -> None:
    """Print USER of every row and write it down; write the answers as CSV where asked."""
    parser = _parser("report", "USER = found / answered, from the answers so far.")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write all answers there")
    options = parser.parse_args(arguments)
    study = load_study(options.study)
    answers = Answers(options.study / FILE, study.hash).all()
    for row in study.rows:
        print(_line(user_score(study, answers, row)))
    print(f"{_origin(study.sequences)} Chance is {CHANCE:.2f}, and perfect; 1 is the worst.")
    _write(options.study / RESULT, to_json(study, answers))
    if options.csv:
        _write(options.csv, to_csv(study, answers))


def _write(path: Path, text: str) -> None:
    try:
        write_text(path, text)
    except OSError as error:
        raise HeadmimeError(f"{path} cannot be written: {error.strerror}.") from error
    print(path)


def _parser(what: str, text: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"headmime userstudy {what}", description=text)
    parser.add_argument("study", type=Path, metavar="STUDY", help="the folder of a prepared study")
    return parser


def _line(result: User) -> str:
    if result.value is None:
        return f"{result.row}: no answers yet"
    wilson, bootstrap = (
        f"[{low:.3f}, {high:.3f}]" for low, high in (result.wilson, result.bootstrap)
    )
    return (
        f"{result.row}: USER {result.value:.3f} = {result.found} / {result.answered}; 95 %: "
        f"{wilson} (Wilson, answers taken as independent), {bootstrap} (bootstrap over "
        f"{result.people} people and {result.annotators} annotators)"
    )


def _origin(sequences: dict[str, int]) -> str:
    told = {
        "videos": "from three videos of the person",
        "clips": "from three clips of the person",
        "moments": "from fewer than three clips, because the data has no more",
    }
    parts = [f"{count} {told[kind]}" for kind, count in sequences.items() if count]
    return f"Triplets: {'; '.join(parts)}."


def _text(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise HeadmimeError(f"--consent {path} cannot be read as text: {error}.") from error
