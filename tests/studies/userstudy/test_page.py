"""The page in a real browser: headless Chromium, by the keyboard alone."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from headmime.studies.userstudy.report import user_score
from headmime.studies.userstudy.study import Study, load_study

from .conftest import serving, write_study

pytestmark = pytest.mark.slow

TRIPLETS = 12


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small study."""
    write_study(tmp_path / "study", TRIPLETS, sequences="moments")
    return tmp_path / "study"


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Somebody's browser; what goes wrong in its pages fails the test."""
    context = browser.new_context()
    context.set_default_timeout(20_000)
    problems: list[str] = []
    context.on("weberror", lambda error: problems.append(str(error.error)))
    context.on(
        "console",
        lambda message: message.type == "error" and problems.append(message.text),
    )
    yield context
    context.close()
    assert not problems


def begin(page: Page, url: str, code: str) -> None:
    """From the first page to the first triplet, with keys alone."""
    page.goto(url)
    expect(page.get_by_role("checkbox")).to_be_visible()
    page.get_by_role("checkbox").press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type(code)
    page.keyboard.press("Enter")


def see(page: Page, number: int) -> None:
    """Wait until triplet `number` (from 1) can be answered."""
    expect(page.locator("#place")).to_have_text(f"Triplet {number} of {TRIPLETS}")
    expect(page.locator(".choice:visible")).to_have_count(3)


def answer(page: Page, number: int, choose: Callable[[list[str]], int]) -> None:
    """Wait for triplet `number` and press the key that `choose` says."""
    see(page, number)
    shown = [image.get_attribute("src") or "" for image in page.locator(".choice img").all()]
    page.keyboard.press(str(choose(shown) + 1))


def oracle(study: Study) -> Callable[[list[str]], int]:
    """Knows the key."""
    names = {f"/picture/{triplet.generated}.png" for triplet in study.triplets}
    return lambda shown: next(place for place, name in enumerate(shown) if name in names)


def test_two_annotators_at_once_one_guesses_and_one_knows(browser: Browser, folder: Path) -> None:
    study, draw = load_study(folder), random.Random(3)
    choose = {"oracle": oracle(study), "random": lambda shown: draw.randrange(3)}
    with serving(folder) as server:
        pages = {code: browser.new_context().new_page() for code in choose}
        for code, page in pages.items():
            begin(page, server.url, code)
        for number in range(1, TRIPLETS + 1):
            for code, page in pages.items():
                answer(page, number, choose[code])
        for page in pages.values():
            expect(page.get_by_role("heading", name="Thank you!")).to_be_visible()
            expect(page.locator("#end")).to_contain_text(f"all {TRIPLETS} triplets")
            page.context.close()
        answers = server.answers.all()
    by_code = {code: [one for one in answers if one.annotator == code] for code in choose}
    assert user_score(study, by_code["oracle"], "ft_T8").value == 1.0
    guessed = user_score(study, by_code["random"], "ft_T8")
    assert guessed.answered == TRIPLETS and guessed.wilson[0] < 1 / 3 < guessed.wilson[1]
    assert all(0 < one.milliseconds < 20_000 for one in answers)


def test_the_study_goes_on_after_a_reload_and_a_restart(
    context: BrowserContext, folder: Path
) -> None:
    page = context.new_page()
    with serving(folder) as server:
        port = server.server_port
        begin(page, server.url, "")  # a code is given
        for number in (1, 2, 3):
            answer(page, number, lambda shown: 0)
        see(page, 4)
    with serving(folder, port=port) as server:
        page.goto(server.url)
        page.get_by_role("checkbox").check()
        page.get_by_role("button", name="Begin").click()  # the browser has kept the code
        answer(page, 4, lambda shown: 1)
        expect(page.locator("#place")).to_have_text(f"Triplet 5 of {TRIPLETS}")
        assert len(server.answers.all()) == 4
        assert len({one.annotator for one in server.answers.all()}) == 1


def test_one_key_is_one_answer(context: BrowserContext, folder: Path) -> None:
    """Keys before a triplet is seen, and more of them after the first, do nothing."""
    page, held = context.new_page(), list[Route]()
    page.route("**/picture/*", lambda route: held.append(route))
    with serving(folder) as server:
        begin(page, server.url, "hasty")
        expect(page.locator("#place")).to_have_text(f"Triplet 1 of {TRIPLETS}")
        while len(held) < 3:
            page.wait_for_timeout(10)
        assert page.locator(".choice").count() == 0
        page.keyboard.press("1")
        for route in held[:3]:
            route.continue_()
        see(page, 1)
        assert not server.answers.all()
        page.evaluate(
            """() => {
                for (const key of "231")
                    document.dispatchEvent(new KeyboardEvent("keydown", {key}));
            }"""
        )
        expect(page.locator("#place")).to_have_text(f"Triplet 2 of {TRIPLETS}")
        assert len(server.answers.all()) == 1


def test_all_pictures_are_shown_alike(context: BrowserContext, folder: Path) -> None:
    page = context.new_page()
    with serving(folder) as server:
        begin(page, server.url, "anna")
        see(page, 1)
        seen = page.locator(".choice").evaluate_all(
            """choices => choices.map(choice => {
                const image = choice.querySelector("img"), box = image.getBoundingClientRect();
                return [image.naturalWidth, image.naturalHeight, box.width, box.height, box.top,
                        choice.className, getComputedStyle(image).outline, image.alt];
            })"""
        )
        assert seen[0] == seen[1] == seen[2] and seen[0][0] == 32
        names = [choice.get_attribute("aria-label") for choice in page.locator(".choice").all()]
        assert names == ["Picture 1", "Picture 2", "Picture 3"]


def test_the_first_page_asks_for_consent_and_says_what_the_data_lacks(
    context: BrowserContext, folder: Path
) -> None:
    page = context.new_page()
    with serving(folder) as server:
        page.goto(server.url)
        expect(page.get_by_role("heading", name="Which is which?")).to_be_visible()
        expect(page.locator("#sequences")).to_contain_text("fewer than three clips")
        page.get_by_role("button", name="Begin").click()
        expect(page.locator("#intro")).to_be_visible()  # no consent, no beginning
        assert page.evaluate("document.querySelector('#consent').validity.valueMissing")


def test_stopping_withdrawing_and_a_code_that_is_spent(browser: Browser, folder: Path) -> None:
    page = browser.new_page()
    with serving(folder) as server:
        begin(page, server.url, "anna")
        answer(page, 1, lambda shown: 2)
        expect(page.locator("#place")).to_have_text(f"Triplet 2 of {TRIPLETS}")
        page.get_by_role("button", name="Stop for now").click()
        expect(page.locator("#end")).to_contain_text(f"1 of {TRIPLETS} triplets")
        page.get_by_role("button", name="Go on").click()
        answer(page, 2, lambda shown: 2)
        page.get_by_role("button", name="Stop for now").click()  # while the answer is on its way
        page.wait_for_timeout(1500)
        expect(page.locator("#end")).to_be_visible()
        page.get_by_text("Delete my answers").click()
        page.get_by_role("button", name="Delete all my answers").click()
        expect(page.get_by_role("heading", name="Your answers are deleted")).to_be_visible()
        assert not server.answers.all()
        begin(page, server.url, "anna")
        expect(page.get_by_role("alert")).to_contain_text("begin with another")
    page.close()


def test_a_server_that_is_gone_is_said_and_tried_again(browser: Browser, folder: Path) -> None:
    page = browser.new_page()
    with serving(folder) as server:
        begin(page, server.url, "anna")
        see(page, 1)
        page.route("**/api/**", lambda route: route.abort())
        page.keyboard.press("1")
        expect(page.get_by_role("alert")).to_contain_text("does not answer")
        page.unroute_all()
        page.get_by_role("button", name="Try again").click()
        answer(page, 1, lambda shown: 0)
        expect(page.locator("#place")).to_have_text(f"Triplet 2 of {TRIPLETS}")
    page.close()


@pytest.mark.parametrize("size", [(360, 640), (768, 1024), (1920, 1080), (800, 400)], ids=str)
def test_nothing_is_cut_off(browser: Browser, folder: Path, size: tuple[int, int]) -> None:
    width, height = size
    page = browser.new_page(viewport={"width": width, "height": height})
    with serving(folder) as server:
        begin(page, server.url, "anna")
        see(page, 1)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        boxes = [image.bounding_box() for image in page.locator(".choice img").all()]
        assert all(box and box["y"] >= 0 and box["y"] + box["height"] <= height for box in boxes)
    page.close()
