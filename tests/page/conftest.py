"""The report's page, made once, and the system's Chromium, without a network, to look at it."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, sync_playwright

from blina.linelist.cohort import ROOT, load_cohort
from blina.page import write_page

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = (
    "NO PAGE WAS LOOKED AT, for there is no Chromium. Install it (Debian, Ubuntu: apt-get install chromium) "
    "or name one in the variable BLINA_CHROMIUM"
)
# The route below stops what a page asks for; these stop what the browser itself would ask for.
ALONE = ("--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--no-first-run", "--disable-quic", "--host-resolver-rules=MAP * ~NOTFOUND")  # fmt: skip
HEIGHTS = {390: 844, 1440: 900}  # a telephone, a desk


def chromium() -> str | None:
    """The path of the browser: the one that is named in BLINA_CHROMIUM, else the system's."""
    named = os.environ.get("BLINA_CHROMIUM")
    return next(filter(None, map(shutil.which, [named] if named else NAMES)), None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a browser one skip speaks for all tests that need it; with BLINA_BROWSER=required they fail."""
    looking = [item for item in items if "browser" in getattr(item, "fixturenames", ())]
    if looking and not chromium() and os.environ.get("BLINA_BROWSER") != "required":
        looking[0].add_marker(pytest.mark.skip(reason=MISSING))
        config.hook.pytest_deselected(items=looking[1:])
        items[:] = [item for item in items if item not in looking[1:]]


@dataclass
class View:
    """A window on a page, what the page asked for beyond its own file, and what the browser had to say about it."""

    page: Page
    file: str = ""
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: Path, width: int = 1440, theme: str = "light") -> "View":
        """Show a file on a desk or, 390 pixels wide, a telephone; what was heard of the file before is forgotten."""
        self.page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        self.page.emulate_media(color_scheme=theme)
        self.file = path.as_uri()
        self.asked.clear()
        self.complaints.clear()
        self.page.goto(self.file)
        return self


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with index.html and a page for each executed notebook."""
    folder = tmp_path_factory.mktemp("page")
    written = write_page(ROOT / "notebooks" / "executed", folder, load_cohort("tianjin2023"))
    assert sorted(written) == sorted(folder.iterdir())
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser with a profile of its own. Of the module, not the session: other tests need the event loop back."""
    found = chromium()
    if not found:
        pytest.fail(MISSING)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=found, args=ALONE)


@pytest.fixture(scope="module")
def window(browser: Browser) -> Callable[..., View]:
    """Opens a window in which a page gets nothing but its own file."""

    def open_window(script: bool = True) -> View:
        context = browser.new_context(java_script_enabled=script)
        context.set_offline(True)
        view = View(context.new_page())

        def only_itself(route: Route) -> None:
            if route.request.url == view.file or route.request.url.startswith("data:"):
                route.continue_()
            else:
                view.asked.append(route.request.url)
                route.abort()

        def listen(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                view.complaints.append(message.text)

        context.route("**/*", only_itself)
        view.page.on("console", listen)
        view.page.on("pageerror", lambda error: view.complaints.append(str(error)))
        return view

    return open_window
