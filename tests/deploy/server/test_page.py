"""The page as a user meets it; skipped where there is no browser."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from graphkd.deploy.server.settings import Token
from tests.deploy.server.browser import Page, browser
from tests.deploy.server.conftest import Target
from tests.deploy.server.serving import in_thread

COMMAND = browser()
pytestmark = pytest.mark.skipif(COMMAND is None, reason="there is no Chromium")

ROW = "0.5, 1, 0, 0, 2"
TAB, ENTER, RIGHT = ("Tab", 9), ("Enter", 13), ("ArrowRight", 39)


def visit(folder: Path, port: int, steps: Callable[[Page], Awaitable[None]], **window: object) -> Page:
    async def run() -> Page:
        async with Page(str(COMMAND), folder / "profile", **window) as page:  # type: ignore[arg-type]
            await page.go(f"http://127.0.0.1:{port}/")
            await steps(page)
        return page

    return asyncio.run(run())


async def tabbed(page: Page, to: str) -> None:
    """The tab key, until the focus is there."""
    for _ in range(12):
        if await page.js("document.activeElement.id || document.activeElement.value") == to:
            return
        await page.press(*TAB)
    raise AssertionError(f"no way to {to} by the tab key")


def test_a_row_by_the_keyboard_alone(raw: Target, tmp_path: Path) -> None:
    async def steps(page: Page) -> None:
        await page.until("document.getElementById('facts').children.length")
        assert await page.js("document.querySelector('input[value=nodes]').disabled")
        await tabbed(page, "given")
        await page.write(f"{ROW}\n1;2\t3 4 5")
        await page.press(*ENTER, modifiers=2)
        await page.until("document.querySelectorAll('.prediction').length === 2")
        text = await page.js("document.getElementById('answer').innerText")
        best = raw.model.predict([[0.5, 1, 0, 0, 2]])[0]
        assert f"Row 1: class {best}" in text
        assert "2 rows in " in text
        assert "ms in the server (numpy)" in text
        assert "dataset" in await page.js("document.getElementById('facts').innerText")

    page = visit(tmp_path, raw.port, steps)
    assert page.complaints() == []
    assert all(
        address.startswith((f"http://127.0.0.1:{raw.port}/", "data:", "about:")) for address in page.asked()
    )


MISTAKES = {
    "": "Paste at least one row first.",
    "1 2 3": "Row 1 has 3 numbers; this model takes 5.",
    f"{ROW}\n1 2 x 4 5": "“x” in line 2 is no number.",
    "[1, 2": "This begins like JSON, but is none: check brackets and commas.",
    "[[1, 2, 3, 4, null]]": "rows.0.4: input should be a valid number",
    "1e39 0 0 0 0": "rows.0.0: no finite number of float32: fill or drop it",
}


def test_mistakes_are_explained_and_the_next_row_is_answered(raw: Target, tmp_path: Path) -> None:
    async def steps(page: Page) -> None:
        await page.until("document.getElementById('facts').children.length")
        for given, text in MISTAKES.items():
            await page.js(f"document.getElementById('given').value = {given!r}")
            await page.js("document.getElementById('send').click()")
            await page.until(
                "!document.getElementById('error').hidden && !document.getElementById('send').disabled"
            )
            assert await page.js("document.getElementById('error').textContent") == text
            assert await page.js("document.activeElement.id") == "given"
        await page.js(f"document.getElementById('given').value = '[{ROW}]'")
        await page.js("document.getElementById('send').click()")
        await page.until("document.querySelectorAll('.prediction').length === 1")
        assert await page.js("document.getElementById('error').hidden")

    visit(tmp_path, raw.port, steps)


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
def test_nodes_on_a_narrow_window(hops: Target, tmp_path: Path, dark: bool) -> None:
    async def steps(page: Page) -> None:
        await page.until("document.querySelector('input[value=nodes]').checked")
        await page.js("document.getElementById('given').value = '3, 18'")
        await page.js("document.getElementById('send').click()")
        await page.until("document.querySelectorAll('.prediction').length === 2")
        assert "Node 18: class" in await page.js("document.getElementById('answer').innerText")
        assert await page.js("document.documentElement.scrollWidth <= window.innerWidth")
        ground = await page.js("getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(18, 22, 29)" if dark else "rgb(246, 247, 249)")
        await page.js("document.getElementById('given').value = '19'")
        await page.js("document.getElementById('send').click()")
        await page.until("document.getElementById('error').textContent.includes('node 19 was deleted')")

    assert [
        each for each in visit(tmp_path, hops.port, steps, width=360, dark=dark).complaints() if "422" not in each
    ] == []


@pytest.mark.slow
def test_a_token_is_asked_for(raw_bundle: Path, tmp_path: Path) -> None:
    async def steps(page: Page) -> None:
        await page.until("document.activeElement.id === 'token'")
        assert not await page.js("document.getElementById('main').checkVisibility()")
        await page.write("wrong")
        await page.press(*ENTER)
        await page.js("document.getElementById('unlock').requestSubmit()")
        await page.until("document.getElementById('line').textContent.includes('not right')")
        await page.js("document.getElementById('token').value = 's3cret'")
        await page.js("document.getElementById('unlock').requestSubmit()")
        await page.until("document.getElementById('main').checkVisibility()")
        await page.go(f"{await page.js('location.origin')}/docs")
        await page.until("document.querySelectorAll('details').length > 5")

    with in_thread(raw_bundle, token=Token.of("s3cret")) as port:
        visit(tmp_path, port, steps)
