"""The page on a desk and on a telephone, in light and dark, by eye and by keyboard."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from headmime.data.video_reader import read_video_info
from headmime.web.jobs import JobRunner
from headmime.web.server import serve
from headmime.web.uploads import Limits

pytestmark = pytest.mark.slow

MakeRunner = Callable[..., JobRunner]
# Roles that say nothing without a name, as the browser's accessibility tree has them.
UNNAMED = re.compile(r"- (button|textbox|slider|spinbutton|radio|group|link|img|video)(?! \")")
SIZES = [(1280, 900), (600, 900), (390, 844)]
PATIENCE = 120_000  # milliseconds: machines may be busy

# Texts whose contrast with what is behind them is below 4.5 : 1 (WCAG 2 AA), as sentences.
LOW_CONTRAST = """() => {
  const parse = (colour) => (colour.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3] > 0.9) return colour;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    const box = e.getBoundingClientRect();
    if (!own || box.width < 2 || !e.checkVisibility({ visibilityProperty: true })) continue;
    if (e.closest("button:disabled, #examples")) continue;
    const both = [light(parse(getComputedStyle(e).color)), light(behind(e))];
    const [a, b] = both.sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) low.push(`${e.textContent.trim()}: ${ratio.toFixed(2)}`);
  }
  return low;
}"""


@pytest.fixture(params=SIZES, ids=lambda size: str(size[0]))
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    yield context
    context.close()
    expect.set_options(timeout=5_000)


def check_width(page: Page) -> None:
    page.wait_for_timeout(300)  # until what was added is laid out
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def check_names(page: Page) -> None:
    lines = page.locator("body").aria_snapshot().splitlines()
    assert [line for line in lines if UNNAMED.match(line.strip())] == []
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id).filter(Boolean)")
    assert len(set(ids)) == len(ids)


def check_contrast(page: Page) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.evaluate(f"document.body.classList.toggle('dark', {str(scheme == 'dark').lower()})")
        page.wait_for_timeout(500)  # colours change over a moment
        assert page.evaluate(LOW_CONTRAST) == []


def test_from_the_keyboard_everything_is_in_view(
    context: BrowserContext, make_runner: MakeRunner, mona_lisa: Path, tmp_path: Path
) -> None:
    with serve(make_runner(), Limits(), port=0) as url:
        page = context.new_page()
        page.goto(url)
        animate = page.get_by_role("button", name="Animate")
        expect(animate).to_be_in_viewport(ratio=1)
        check_width(page)
        check_names(page)
        check_contrast(page)
        page.locator("#files input[type=file]").set_input_files([mona_lisa])
        expect(page.locator("#source img")).to_be_visible()
        expect(page.locator("#plan")).to_contain_text("the head is made at 16 x 16 pixels")
        check_width(page)
        # What is missing is said where one looks.
        animate.focus()
        page.keyboard.press("Enter")
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("why you may animate")
        expect(alert).to_be_in_viewport(ratio=1)
        check_contrast(page)
        # One stop for each group of radios; arrows choose.
        page.get_by_label("talk", exact=True).focus()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_label("turn", exact=True)).to_be_checked()
        expect(page.locator("#driving")).to_contain_text("4.0 s")
        page.keyboard.press("Tab")
        assert not page.evaluate("document.activeElement.closest('#motion')")
        for group in ("Motion", "Output", "Quality", "Why may you animate this person?"):
            expect(page.get_by_role("group", name=group, exact=True)).to_have_count(1)
        page.get_by_label("They agreed").focus()
        page.keyboard.press("Space")
        outline = "getComputedStyle(document.activeElement.closest('label')).outlineWidth"
        assert page.evaluate(outline) == "3px"
        animate.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#result video")).to_be_visible()
        expect(page.locator("#result video")).to_be_in_viewport(ratio=0.5)
        expect(page.locator("#gif")).to_be_enabled()
        check_width(page)
        check_names(page)
        check_contrast(page)
        page.locator("#made").focus()
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        download.value.save_as(tmp_path / "result.mp4")
        assert read_video_info(tmp_path / "result.mp4").frames == 100
        assert download.value.suggested_filename == "mona_lisa-turn-256px-25fps.mp4"
        page.close()


def test_examples_stay_when_the_tab_that_used_them_closes(
    context: BrowserContext, make_runner: MakeRunner
) -> None:
    with serve(make_runner(), Limits(), port=0) as url:
        first = context.new_page()
        first.goto(url)
        first.get_by_role("button", name="Mona Lisa").click()
        expect(first.locator("#source img")).to_be_visible()
        first.close()
        second = context.new_page()
        second.wait_for_timeout(1000)  # until the first one is closed
        second.goto(url)
        expect(second.locator("#examples img")).to_have_count(5)
        whole = "[...document.querySelectorAll('#examples img')].every(i => i.naturalWidth > 0)"
        second.wait_for_function(whole)
        second.close()
