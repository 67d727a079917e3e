"""The page in a real browser: headless Chromium."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from headmime.animate.driving import MOTIONS_FOLDER, load_template
from headmime.animate.media_writer import encode
from headmime.data.image_reader import read_image
from headmime.data.video_reader import read_video_info
from headmime.web.jobs import CachedPerson, JobResult, JobRunner
from headmime.web.progress import Progress
from headmime.web.request import JobRequest
from headmime.web.server import serve
from headmime.web.uploads import Limits

pytestmark = pytest.mark.slow

MakeRunner = Callable[..., JobRunner]
AT_THE_GATE = "Fine-tuning, step: 3 of 12, about 9 s left"
PATIENCE = 120_000  # milliseconds: machines may be busy


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Somebody's browser; a request to another machine, or an error in the page, fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    problems: list[str] = []
    context.on("weberror", lambda error: problems.append(str(error.error)))
    context.on("console", lambda message: message.type == "error" and problems.append(message.text))
    own = ("http://127.0.0.1:", "data:", "blob:")
    context.on("request", lambda asked: asked.url.startswith(own) or problems.append(asked.url))
    yield context
    context.close()
    expect.set_options(timeout=5_000)
    assert not problems


@contextmanager
def served(
    context: BrowserContext, runner: JobRunner, limits: Limits | None = None
) -> Iterator[str]:
    """The page of a runner: yields its address. Its tabs are closed before the server goes."""
    with serve(runner, limits or Limits(), port=0) as url:
        yield url
        for page in context.pages:
            page.close()


def opened(context: BrowserContext, url: str) -> Page:
    page = context.new_page()
    page.goto(url)
    expect(page.get_by_role("button", name="Animate")).to_be_visible()
    return page


def drop(page: Page, *files: Path) -> None:
    page.locator("#files input[type=file]").set_input_files(list(files))


def take_example(page: Page, motion: str = "talk") -> None:
    page.get_by_role("button", name="Mona Lisa").click()
    expect(page.locator("#files")).to_contain_text("mona_lisa")
    expect(page.locator("#source img")).to_be_visible()
    page.get_by_label(motion, exact=True).check()
    expect(page.locator("#plan")).to_contain_text("frames")


def press_animate(page: Page, consent: str | None = "It is me") -> None:
    if consent:
        page.get_by_label(consent).check()
    page.get_by_role("button", name="Animate").click()


def until(page: Page, true: Callable[[], bool]) -> None:
    """Let the page live until something is true elsewhere."""
    for _ in range(PATIENCE // 50):
        if true():
            return
        page.wait_for_timeout(50)
    raise AssertionError("This took too long.")


def test_from_the_first_click_to_the_files(
    context: BrowserContext, make_runner: MakeRunner, tmp_path: Path
) -> None:
    with served(context, make_runner()) as url:
        page = opened(context, url)
        take_example(page, "turn")
        expect(page.get_by_label("The photo is in the public domain")).to_be_checked()
        press_animate(page, consent=None)
        expect(page.locator("#result video")).to_be_visible()
        expect(page.locator("#driving video")).to_be_visible()
        expect(page.locator("#source img")).to_be_visible()
        page.wait_for_function("document.querySelector('#result video').readyState >= 3")
        expect(page.locator("#problem")).to_be_hidden()
        for part, beginning in (("made", b"ftyp"), ("gif", b"GIF89a")):
            expect(page.locator(f"#{part}")).to_be_enabled()
            with page.expect_download() as download:
                page.locator(f"#{part}").click()
            file = tmp_path / download.value.suggested_filename
            download.value.save_as(file)
            assert beginning in file.read_bytes()[:16]
        assert read_video_info(tmp_path / "mona_lisa-turn-256px-25fps.mp4").width == 256
        assert (tmp_path / "mona_lisa-turn-256px-25fps.gif").is_file()
        expect(page.locator("#result")).to_contain_text("256 pixels, 25 frames/s")


def test_the_person_is_kept_for_another_motion(
    context: BrowserContext, make_runner: MakeRunner
) -> None:
    learned: list[bool] = []

    class Counting(JobRunner):
        def make_person(
            self, request: JobRequest, cached: CachedPerson | None, progress: Progress
        ) -> CachedPerson:
            now = super().make_person(request, cached, progress)
            learned.append(now is not cached)
            return now

    with served(context, make_runner(Counting)) as url:
        page = opened(context, url)
        for times, motion in enumerate(("talk", "turn"), 1):
            take_example(page, motion)
            press_animate(page, consent=None)
            until(page, lambda: len(learned) == times)  # noqa: B023 (called here)
            expect(page.locator("#gif")).to_be_enabled()
    assert learned == [True, False]


def test_no_face_is_said_beside_the_picture(
    context: BrowserContext, make_runner: MakeRunner, noise: Path, mona_lisa: Path
) -> None:
    with served(context, make_runner()) as url:
        page = opened(context, url)
        drop(page, noise)
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("noise.png: no face was found")
        assert "/" not in alert.inner_text().replace("and/or", "")
        expect(page.locator("#problem img").first).to_be_visible()
        # Beside a good one it is left out, and said before anything is pressed.
        drop(page, mona_lisa)
        expect(page.locator("#thumbnails img")).to_have_count(2)
        expect(alert).to_be_hidden()
        expect(page.locator("#checked")).to_contain_text("Left out: noise.png")
        page.get_by_text("Instant").click()
        press_animate(page)
        expect(page.locator("#result video")).to_be_visible()
        expect(page.locator("#notes")).to_contain_text("Left out: noise.png")


def test_what_is_wrong_with_an_order_is_said(
    context: BrowserContext, make_runner: MakeRunner, mona_lisa: Path, tmp_path: Path
) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    with served(context, make_runner(), Limits(pictures=2)) as url:
        page = opened(context, url)
        alert = page.get_by_role("alert")
        press_animate(page, consent=None)
        expect(alert).to_contain_text("no photo yet")
        drop(page, mona_lisa)
        expect(page.locator("#source img")).to_be_visible()
        press_animate(page, consent=None)
        expect(alert).to_contain_text("why you may animate")
        page.get_by_label("my video, photo or template").check()
        press_animate(page)
        expect(alert).to_contain_text("no motion yet")
        page.locator("#file input[type=file]").set_input_files(tmp_path / "text.jpg")
        drop(page, tmp_path / "text.jpg")
        expect(alert).to_contain_text("text.jpg cannot be read")


class Gated(JobRunner):
    """Waits before it learns until the gate is opened, or until it is stopped."""

    gate: threading.Event
    turns: list[str]

    def make_person(
        self,
        request: JobRequest,
        cached: CachedPerson | None,
        progress: Progress,
        settings: Any = None,
    ) -> CachedPerson:
        self.turns.append("began")
        progress.paces["gate"] = 1.0
        step = progress.counter("Fine-tuning, step", "gate")
        try:
            while not self.gate.wait(0.05):
                step(3, 12)
        except BaseException:
            self.turns.append("stopped")
            raise
        return super().make_person(request, cached, progress)


@pytest.fixture
def gated(make_runner: MakeRunner) -> Iterator[type[Gated]]:
    """The gate is opened at the end, whatever happens: threads shall end."""

    class Fresh(Gated):
        gate, turns = threading.Event(), []

    yield Fresh
    Fresh.gate.set()


def ordered(context: BrowserContext, url: str) -> Page:
    """A page whose order is on its way."""
    page = opened(context, url)
    take_example(page)
    page.get_by_text("Instant").click()
    press_animate(page, consent=None)
    return page


def test_two_users_queue(
    context: BrowserContext, make_runner: MakeRunner, gated: type[Gated]
) -> None:
    with served(context, make_runner(gated)) as url:
        first = ordered(context, url)
        expect(first.locator("#result")).to_contain_text(AT_THE_GATE)
        second = ordered(context, url)
        expect(second.locator("#result")).to_contain_text("Waiting for 1 job ahead, about 9 s")
        assert gated.turns == ["began"]
        gated.gate.set()
        expect(first.locator("#result video")).to_be_visible()
        expect(second.locator("#result video")).to_be_visible()
        assert gated.turns == ["began", "began"]


def test_a_closed_tab_stops_its_job_and_leaves_nothing(
    context: BrowserContext,
    make_runner: MakeRunner,
    gated: type[Gated],
    noise: Path,
) -> None:
    with served(context, make_runner(gated)) as url:
        first = ordered(context, url)
        expect(first.locator("#result")).to_contain_text(AT_THE_GATE)
        drop(first, noise)
        expect(first.locator("#thumbnails img")).to_have_count(2)
        waiting, last = ordered(context, url), ordered(context, url)
        expect(last.locator("#result")).to_contain_text("Waiting for 2 jobs ahead")
        waiting.close()
        expect(last.locator("#result")).to_contain_text("Waiting for 1 job ahead")
        first.close()
        # The one that was closed while it waited never has its turn.
        until(last, lambda: gated.turns == ["began", "stopped", "began"])
        folder = Path(os.environ["GRADIO_TEMP_DIR"]).parent
        until(last, lambda: len(list((folder / "results").iterdir())) == 1)
        assert not [file for file in (folder / "uploads").rglob("noise.png")]
        gated.gate.set()
        expect(last.locator("#result video")).to_be_visible()
        assert gated.turns == ["began", "stopped", "began"]
    assert not folder.exists()


def test_stop_while_another_job_runs(
    context: BrowserContext, make_runner: MakeRunner, gated: type[Gated]
) -> None:
    with served(context, make_runner(gated)) as url:
        first = ordered(context, url)
        expect(first.locator("#result")).to_contain_text(AT_THE_GATE)
        second = ordered(context, url)
        expect(second.locator("#result")).to_contain_text("Waiting for 1 job ahead")
        second.get_by_role("button", name="Stop").click()
        expect(second.get_by_role("alert")).to_have_text("Stopped.")
        assert gated.turns == ["began"]
        gated.gate.set()
        expect(first.locator("#result video")).to_be_visible()


def test_stop(context: BrowserContext, make_runner: MakeRunner, gated: type[Gated]) -> None:
    with served(context, make_runner(gated)) as url:
        page = ordered(context, url)
        expect(page.locator("#result")).to_contain_text(AT_THE_GATE)
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_role("alert")).to_have_text("Stopped.")
        gated.gate.set()
        press_animate(page, consent=None)
        expect(page.locator("#result video")).to_be_visible()


def test_a_tab_closed_during_the_gif_prints_nothing(
    context: BrowserContext,
    make_runner: MakeRunner,
    capfd: pytest.CaptureFixture[str],
) -> None:
    closed, began = threading.Event(), threading.Event()

    class Slow(JobRunner):
        def make_gif(self, result: JobResult, progress: Progress) -> Path:
            began.set()
            assert closed.wait(120)
            return super().make_gif(result, Progress(lambda *_: None, threading.Event()))

    with served(context, make_runner(Slow)) as url:
        page = ordered(context, url)
        until(page, began.is_set)
        folder = Path(os.environ["GRADIO_TEMP_DIR"]).parent / "results"
        other = opened(context, url)
        page.close()
        until(other, lambda: not list(folder.rglob("*.mp4")))
        closed.set()
        until(other, lambda: not list(folder.iterdir()) or len(list(folder.iterdir())) == 1)
        other.wait_for_timeout(500)
    assert "Traceback" not in capfd.readouterr().err


def test_a_person_is_saved_loaded_and_driven_by_a_template(
    context: BrowserContext, make_runner: MakeRunner, tmp_path: Path
) -> None:
    """And the earlier result stays beside the new one, and the page verifies it."""
    with served(context, make_runner()) as url:
        page = ordered(context, url)
        expect(page.locator("#gif")).to_be_enabled()
        with page.expect_download() as download:
            page.locator("#person").click()
        saved = tmp_path / download.value.suggested_filename
        download.value.save_as(saved)
        assert saved.name == "mona_lisa.safetensors"
        page.get_by_role("button", name="Clear").first.click()
        drop(page, saved)
        page.get_by_label("my video, photo or template").check()
        page.locator("#file input[type=file]").set_input_files(MOTIONS_FOLDER / "turn.npz")
        expect(page.locator("#driving")).to_contain_text("4.0 s")
        page.get_by_text("Part and strength of the motion").click()
        page.get_by_label("End (s)").fill("1")
        page.get_by_label("End (s)").blur()
        expect(page.locator("#plan")).to_contain_text("25 frames")
        press_animate(page, consent=None)
        expect(page.locator("#result video")).to_be_visible()
        expect(page.locator("#earlier video")).to_be_visible()
        expect(page.locator("#earlier")).to_contain_text("mona_lisa-talk-256px-25fps")
        with page.expect_download() as download:
            page.locator("#made").click()
        download.value.save_as(tmp_path / "turned.mp4")
        assert read_video_info(tmp_path / "turned.mp4").frames == 25
        page.get_by_text("Was a file made by headmime?").click()
        page.locator("#suspect input[type=file]").set_input_files(tmp_path / "turned.mp4")
        expect(page.locator("#verdict")).to_contain_text("It says that it is AI-generated.")
        expect(page.locator("#verdict")).to_contain_text("public-domain")


def test_a_photo_drives_and_a_video_becomes_a_template(
    context: BrowserContext, make_runner: MakeRunner, mona_lisa: Path, tmp_path: Path
) -> None:
    """And the films of the motions choose theirs."""
    video = tmp_path / "nod.mp4"
    small = cv2.resize(read_image(mona_lisa)[:512, :512], (256, 256))
    encode(video, (np.roll(small, k % 5, 0) for k in range(10)), Fraction(10), "")
    with served(context, make_runner()) as url:
        page = opened(context, url)
        take_example(page)
        page.get_by_text("Instant").click()
        page.locator("#films figure", has_text="turn").click()
        expect(page.get_by_label("turn", exact=True)).to_be_checked()
        expect(page.locator("#films video")).to_have_count(3)
        page.get_by_label("my video, photo or template").check()
        page.locator("#file input[type=file]").set_input_files(mona_lisa)
        expect(page.locator("#driving img")).to_be_visible()
        expect(page.locator("#plan")).to_contain_text("One image")
        expect(page.get_by_text("Part and strength of the motion")).to_be_hidden()
        press_animate(page, consent=None)
        expect(page.locator("#result img")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("button", name="Download PNG").click()
        assert download.value.suggested_filename.startswith("mona_lisa-mona_lisa-")
        assert download.value.suggested_filename.endswith("px.png")
        expect(page.locator("#gif")).to_be_disabled()
        page.locator("#file").get_by_role("button", name="Clear").click()
        page.locator("#file input[type=file]").set_input_files(video)
        expect(page.locator("#driving video")).to_be_visible()
        page.get_by_role("button", name="Make a template of it").click()
        expect(page.locator("#file")).to_contain_text(".npz")
        expect(page.locator("#driving")).to_contain_text("1.0 s")
        expect(page.get_by_role("button", name="Make a template of it")).to_be_hidden()
        with page.expect_download() as download:
            page.locator("#file a[download]").click()
        download.value.save_as(tmp_path / "nod.npz")
        assert len(load_template(tmp_path / "nod.npz").landmarks) == 10


def test_oneself_before_the_webcam(
    launch: Callable[..., Browser], make_runner: MakeRunner, mona_lisa: Path, tmp_path: Path
) -> None:
    """The camera sees the painting nod."""
    film = tmp_path / "camera.y4m"
    picture = read_image(mona_lisa)[:512:2, :512:2]
    with film.open("wb") as file:
        file.write(b"YUV4MPEG2 W256 H256 F10:1 Ip A1:1 C420jpeg\n")
        for k in range(20):
            frame = np.ascontiguousarray(np.roll(picture, round(6 * np.sin(k / 3)), 0))
            file.write(b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420).tobytes())
    browser = launch(
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )
    context = browser.new_context(permissions=["camera", "microphone"])
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    with served(context, make_runner()) as url:
        page = opened(context, url)
        take_example(page)
        page.get_by_label("my webcam").check()
        page.get_by_role("button", name="Click to Access Webcam").click()
        record = page.get_by_role("button", name="start recording")
        record.click()
        expect(record).to_contain_text("Stop")
        page.wait_for_timeout(2000)  # of film
        record.click()
        expect(record).to_be_hidden()
        expect(page.locator("#webcam video")).to_be_visible()
        page.get_by_text("Instant").click()
        press_animate(page, consent=None)
        expect(page.locator("#result video")).to_be_visible()
        expect(page.locator("#driving video")).to_be_visible()
    browser.close()


def test_other_names_and_other_sites_are_refused(
    make_runner: MakeRunner, context: BrowserContext
) -> None:
    with served(context, make_runner()) as url:
        answer = context.request.get(url, headers={"Host": "example.org"})
        assert answer.status == 400
        files = {"files": {"name": "a.png", "mimeType": "image/png", "buffer": b"x"}}
        for origin, status in (("http://example.org", 403), ("null", 403), (url.rstrip("/"), 200)):
            answer = context.request.post(
                f"{url}gradio_api/upload", headers={"Origin": origin}, multipart=files
            )
            assert answer.status == status
        policy = context.request.get(url).headers["content-security-policy"]
        assert "default-src 'self'" in policy
