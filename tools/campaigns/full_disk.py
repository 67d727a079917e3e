"""A disk that is full at random moments: one sentence, nothing that was there is harmed.

Each writer works on a disk of its own with random room: a tmpfs in a mount namespace, which needs
no privilege where user namespaces are allowed; elsewhere a limit of the size of files (EFBIG in
the place of ENOSPC). The disk holds an earlier output. After the failure there must be one
sentence, the earlier output unchanged, and no unfinished file beside it; with more room the same
command goes through, and makes what a run makes that nothing happened to.
"""

import ctypes
import os
import random
import resource
import shutil
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from forked import OK, run_forked
from kills import JOBS, content, differences, folder_of, prepare, start, wait, words_of

from headmime.files import PARTIAL

NEW_NAMESPACE, NEW_USER = 0x20000, 0x10000000
PRIVATE, REMOUNT = 0x40000 | 0x4000, 32
ANIMATE = "animate person=person/me driving=motion.npz size=128"
SECONDS = 300.0


@dataclass(frozen=True)
class Writer:
    """`words`: of the command, which writes into out/. `resumes`: an unfinished output stays and is
    gone on with; `same`: two runs make the same bytes.
    """

    words: str
    resumes: bool = False
    same: bool = True


WRITERS = {
    "mp4": Writer(f"{ANIMATE} out=out/a.mp4", same=False),
    "gif": Writer(f"{ANIMATE} out=out/a.gif", same=False),
    "png": Writer(f"{ANIMATE} out=out/a.png", same=False),
    "template": Writer("template driver.mp4 out=out/a.npz", same=False),
    "drawing": Writer("template show motion.npz out=out/a.gif", same=False),
    "contact sheet": Writer("data inspect store out=out/a.png"),
    "finetune": Writer(JOBS["finetune"].words),
    "sitters": Writer("data sitters n=2 frames=2 size=32 workers=1 out=out/store", True),
    "preprocess": Writer(
        "preprocess data=folder detector=dlib root=films size=32 frames=4 workers=1 out=out/store",
        True,
    ),
    "train": Writer(JOBS["train"].words.replace("run.dir=out", "run.dir=out/run"), True),
    "table": Writer(JOBS["table"].words.replace("memory=", "memory=out/"), True),
}


def run(count: int, seed: int, only: str | None = None) -> int:
    """`count` full disks for each writer; the number of failures."""
    failures = 0
    with tempfile.TemporaryDirectory(prefix="headmime-disks-") as folder:
        root, samples = Path(folder), Path(folder) / "samples"
        os.environ["XDG_CONFIG_HOME"] = str(root / "configuration")
        if code := wait(start(root, partial(prepare, samples))):
            raise SystemExit(f"The samples cannot be made: {code}\n{words_of(root)}")
        print("disks:", "tmpfs" if run_forked(lambda: _mount(root), 9).kind == OK else "limits")
        for name, writer in WRITERS.items():
            if only in (None, name):
                chance = random.Random(f"{seed}/{name}")
                failures += _run_writer(name, writer, samples, root, count, chance)
    print(f"{failures} failures")
    return failures


def _run_writer(
    name: str, writer: Writer, samples: Path, root: Path, count: int, chance: random.Random
) -> int:
    whole = folder_of(samples, root / f"{name}-whole")
    (whole / "out").mkdir()
    if code := wait(start(whole, partial(_headmime, writer))):
        raise SystemExit(f"{name}: with room it ends with {code}:\n{words_of(whole)}")
    written = sum(path.stat().st_size for path in (whole / "out").rglob("*") if path.is_file())
    failed = full = 0
    for number in range(count):
        room = int(written * chance.uniform(0, 0.98))
        folder = folder_of(samples, root / f"{name}-{number}")
        (folder / "out").mkdir()
        outcome = run_forked(partial(_fill, writer, folder, whole / "out", room), SECONDS)
        full += "code 1" in outcome.words or outcome.kind != OK
        if outcome.kind != OK:
            failed += 1
            print(f"  {name}: room for {room} of {written} bytes: {outcome.words[-600:]}")
        shutil.rmtree(folder)
    print(f"{name}: {count} disks, full on {full}, {failed} failures", flush=True)
    return failed


def _headmime(writer: Writer) -> int:
    from headmime.cli import main as headmime

    return headmime(writer.words.split())


def _fill(writer: Writer, folder: Path, whole: Path, room: int) -> None:
    """In a process of its own: AssertionError says what is wrong."""
    out = folder / "out"
    mounted = True
    try:
        _mount(out)
    except OSError:
        mounted = False
    earlier = {} if writer.resumes else _copy(whole, out)
    if mounted:
        _resize(out, max(4096, _used(out) + room // 4096 * 4096))  # 0 would be no limit
    code = wait(start(folder, partial(_limited, writer, None if mounted else max(4096, room))))
    if code == 0:
        return
    print(f"code {code}")
    told = words_of(folder)
    said = [line for line in told.splitlines() if line.startswith("headmime: ")]
    assert "Traceback" not in told, told
    assert code == 1 and len(said) == 1 and said[0][-1] in ".?", f"code {code}: {told[-600:]}"
    assert any(word in said[0] for word in ("space", "large", "full")), said
    left = [
        path for path in out.rglob("*") if path.name.startswith(PARTIAL) or path.suffix == ".part"
    ]
    assert not left, f"unfinished files stay: {left}"
    assert {name: (out / name).read_bytes() for name in earlier} == earlier, (
        "earlier output changed"
    )
    if mounted:
        _resize(out, 1 << 28)
    code = wait(start(folder, partial(_headmime, writer)))
    assert code == 0, f"with room again: {words_of(folder)[-600:]}"
    if writer.same:
        differ = differences(content(whole), content(out))
        assert not differ, f"with room again it makes something else: {differ[:5]}"


def _limited(writer: Writer, size: int | None) -> int:
    if size is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return _headmime(writer)


def _copy(whole: Path, out: Path) -> dict[str, bytes]:
    shutil.copytree(whole, out, dirs_exist_ok=True)
    files = [path for path in out.rglob("*") if path.is_file()]
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


def _used(folder: Path) -> int:
    disk = os.statvfs(folder)
    return (disk.f_blocks - disk.f_bfree) * disk.f_frsize


def _mount(folder: Path) -> None:
    """A tmpfs that only this process and its children see. OSError where that is forbidden."""
    user, group = os.getuid(), os.getgid()
    _system("unshare", NEW_NAMESPACE | (NEW_USER if user else 0))
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    _system("mount", None, b"/", None, PRIVATE, None)
    _system("mount", b"tmpfs", os.fsencode(folder), b"tmpfs", 0, b"size=256m")


def _resize(folder: Path, size: int) -> None:
    _system("mount", None, os.fsencode(folder), None, REMOUNT, f"size={size}".encode())


def _system(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments):
        raise OSError(ctypes.get_errno(), f"{name} failed")
