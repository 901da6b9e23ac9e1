"""The page of a report in a browser: it fits a narrow window, loads nothing, and has no errors."""

import asyncio
from pathlib import Path

import pytest

from graphkd.reports import find_runs, grouped, to_html
from tests.deploy.server.browser import Page, browser
from tests.reports.html.test_page import bench, log, with_classes
from tests.reports.runs import SEEDS, make_run

COMMAND = browser()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(COMMAND is None, reason="there is no Chromium")]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [400, 1400])
def test_it_fits_and_follows_the_colours_of_the_reader(tmp_path: Path, width: int, dark: bool) -> None:
    names = [f"a_class_of_a_name_that_is_rather_long_{at}" for at in range(2)]
    runs = [
        make_run(
            tmp_path / "runs" / f"a_folder_of_a_long_name_{at}", [with_classes(SEEDS[0], names)], method=at * "m"
        )
        for at in (1, 40)
    ]
    for run in runs:
        log(run)
        bench(run)
    file = tmp_path / "report.html"
    file.write_text(to_html(grouped(find_runs([str(run) for run in runs]))))

    async def looked_at() -> tuple[Page, bool, str]:
        async with Page(str(COMMAND), tmp_path / "profile", width, dark) as page:
            await page.go(file.as_uri())
            fits = await page.js("document.documentElement.scrollWidth <= window.innerWidth")
            return page, fits, await page.js("getComputedStyle(document.body).backgroundColor")

    page, fits, colour = asyncio.run(looked_at())
    assert fits
    assert colour == ("rgb(20, 23, 26)" if dark else "rgb(255, 255, 255)")
    assert page.asked() == [file.as_uri()]
    assert page.complaints() == []
