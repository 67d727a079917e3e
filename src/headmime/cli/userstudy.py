"""`headmime userstudy serve | report`: the paper's user study, on this machine."""

import sys
import webbrowser
from dataclasses import dataclass
from pathlib import Path

from headmime.errors import HeadmimeError
from headmime.files import check_writable, write_text
from headmime.studies.userstudy.answers import FILE, Answers
from headmime.studies.userstudy.report import CHANCE, User, to_csv, to_json, user_score
from headmime.studies.userstudy.server import StudyServer
from headmime.studies.userstudy.study import DESCRIPTION, load_study

RESULT = "user.json"


@dataclass
class Serve:
    """Keys of `headmime userstudy serve`: conf/userstudy_serve.yaml."""

    folder: str
    port: int
    consent: str | None
    open: bool


@dataclass
class Report:
    """folder: a prepared study. csv: a file for all answers."""

    folder: str
    csv: str | None


def serve(settings: Serve) -> None:
    """Serve the page until Ctrl-C."""
    folder, consent = Path(settings.folder).expanduser(), _text(settings.consent)
    with StudyServer(folder, settings.port, consent) as server:
        study = server.study
        print(f"{study.title}: {len(study.triplets)} triplets at {server.url}")
        print(_origin(study.sequences))
        print(f"Answers go to {server.answers.path}. Ctrl-C stops; serving it again resumes.")
        sys.stdout.flush()
        if settings.open:
            webbrowser.open(server.url)
        server.serve_forever()


def report(settings: Report) -> None:
    """Print USER of every row and write it down; write the answers as CSV where asked."""
    folder = Path(settings.folder).expanduser()
    study = load_study(folder)
    csv = Path(settings.csv).expanduser() if settings.csv else None
    if csv:
        check_writable(csv, [folder / FILE, folder / DESCRIPTION], "csv")
    answers = Answers(folder / FILE, study.hash).all()
    for row in study.rows:
        print(_line(user_score(study, answers, row)))
    print(f"{_origin(study.sequences)} Chance is {CHANCE:.2f}, and perfect; 1 is the worst.")
    _write(folder / RESULT, to_json(study, answers))
    if csv:
        _write(csv, to_csv(study, answers))


def _write(path: Path, text: str) -> None:
    write_text(path, text)
    print(path)


def _line(result: User) -> str:
    if result.value is None or result.wilson is None or result.bootstrap is None:
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


def _text(path: str | None) -> str:
    if path is None:
        return ""
    try:
        return Path(path).expanduser().read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise HeadmimeError(f"consent={path} cannot be read as text: {error}.") from error
