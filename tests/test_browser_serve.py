"""In a real browser: a file is saved, and the page shows it; a mistake is shown, until it is mended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from browser import chromium
from running import PATIENCE, copied
from served import Served, served

pytest.importorskip("flask", reason="Flask is not installed")
pytest.importorskip("click", reason="the command line needs click")

pytestmark = [pytest.mark.once, pytest.mark.timeout(300)]
OVERLAY = "const host = document.getElementById('pyautoload-overlay'); return host ? host.shadowRoot.textContent : ''"
# Where the marked line of the panel is, and the one after it.
LINES = """
const here = document.getElementById('pyautoload-overlay').shadowRoot.querySelector('.here');
return [here, here.nextElementSibling].map((line) => line.getBoundingClientRect().toJSON())
"""
POLICY = """

@blueprint.after_app_request
def policy(response):
    response.headers["Content-Security-Policy"] = "{0}"
    return response
"""
FLASK = "notes.web:create_app()"


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    with chromium() as running:
        yield running


class Tab:
    """A page that is open, and the server that it came from."""

    def __init__(self, driver: Any, site: Served) -> None:
        self.driver = driver
        self.site = site
        driver.get(site.address)
        # It is gone when the page is loaded again.
        self.mark()

    def mark(self) -> None:
        self.driver.execute_script("window.here = true")

    @property
    def was_loaded_again(self) -> bool:
        return not self.driver.execute_script("return Boolean(window.here)")

    @property
    def heading(self) -> str:
        return str(self.driver.execute_script("return document.querySelector('h1')?.textContent || ''"))

    @property
    def overlay(self) -> str:
        """What the panel says, empty where there is none."""
        return str(self.driver.execute_script(OVERLAY))

    def shows(self, heading: str) -> None:
        self.wait(lambda: self.heading == heading, f"the heading {heading!r}")

    def wait(self, check: Any, what: str) -> None:
        from selenium.common.exceptions import JavascriptException, TimeoutException, WebDriverException
        from selenium.webdriver.support.ui import WebDriverWait

        # While a page is loaded again there is none to ask.
        ignored = [JavascriptException, WebDriverException]
        try:
            WebDriverWait(self.driver, PATIENCE, 0.05, ignored_exceptions=ignored).until(lambda _: check())
        except TimeoutException:
            source = self.driver.page_source[:2000]
            raise AssertionError(f"not {what}; the page is\n{source}\nthe server says\n{self.site.log}") from None


@contextmanager
def opened(driver: Any, directory: Path, target: str, *options: str) -> Iterator[Tab]:
    """A page of an application that is served, open in the browser."""
    with served(directory, target, *options) as site:
        tab = Tab(driver, site)
        try:
            yield tab
            # A browser asks for an icon, which there is none of; a process that gives way to another ends its stream.
            expected = ("favicon", "__pyautoload__/events") if site.started > 1 else ("favicon",)
            errors = [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
            assert [error for error in errors if not any(part in error for part in expected)] == []
        finally:
            driver.get("about:blank")  # before the server ends, which would be an error in the page
            driver.get_log("browser")


@pytest.fixture
def notes(driver: Any, tmp_path: Path) -> Iterator[Tab]:
    with opened(driver, copied("flask_app", tmp_path), FLASK) as tab:
        yield tab


def test_a_saved_file_is_shown_without_a_reload_by_hand(notes: Tab) -> None:
    assert notes.heading == "Notes"
    notes.site.edit("notes/views/pages.py", 'heading="Notes"', 'heading="First"')
    notes.shows("First")
    assert notes.was_loaded_again
    notes.site.edit("notes/views/pages.py", 'heading="First"', 'heading="Again"')
    notes.shows("Again")
    assert notes.site.started == 1


def test_a_saved_template_is_shown_too(notes: Tab) -> None:
    notes.site.edit("notes/templates/index.html", "<h1>{{ heading }}</h1>", "<h1>All {{ heading }}</h1>")
    notes.shows("All Notes")
    assert notes.was_loaded_again
    assert notes.site.started == 1


def test_what_was_typed_and_saved_before_is_there_after_an_edit(notes: Tab) -> None:
    from selenium.webdriver.common.by import By

    notes.driver.find_element(By.NAME, "text").send_keys("one two three four")
    notes.driver.find_element(By.TAG_NAME, "button").click()
    notes.wait(lambda: "one two three: " in notes.driver.page_source.replace("</b>", ""), "the note")
    notes.site.edit("notes/note.py", "[:3]", "[:1]")
    notes.wait(lambda: "<b>one</b>: one two three four" in notes.driver.page_source, "the note with its new title")


def test_a_mistake_is_shown_with_its_line_until_it_is_mended(notes: Tab) -> None:
    notes.site.edit("notes/views/pages.py", "def index() -> str:", "def index( -> str:")
    notes.wait(lambda: notes.overlay, "the overlay")
    assert "pages.py:14" in notes.overlay
    assert "def index( -> str:" in notes.overlay
    assert "SyntaxError" in notes.overlay
    assert notes.heading == "Notes"
    marked, following = notes.driver.execute_script(LINES)
    assert following["top"] >= marked["bottom"] - 1, "the line after the marked one is below it"
    assert following["left"] == marked["left"]
    notes.site.edit("notes/views/pages.py", "def index( -> str:", "def index() -> str:")
    notes.wait(lambda: not notes.overlay, "the overlay gone")
    assert notes.heading == "Notes"


def test_a_page_that_is_opened_during_a_mistake_shows_it_and_the_mended_page_after_it(notes: Tab) -> None:
    notes.site.edit("notes/note.py", "@dataclass", "@dataclas")
    notes.wait(lambda: notes.overlay, "the overlay")
    notes.driver.refresh()
    notes.wait(lambda: "NameError" in notes.overlay and "note.py" in notes.overlay, "the overlay again")
    assert notes.heading == "Notes"
    notes.site.edit("notes/note.py", "@dataclas\n", "@dataclass\n")
    notes.site.edit("notes/views/pages.py", 'heading="Notes"', 'heading="Mended"')
    notes.shows("Mended")
    notes.wait(lambda: not notes.overlay, "the overlay gone")


def test_nothing_happens_to_the_page_without_refresh(driver: Any, tmp_path: Path) -> None:
    with opened(driver, copied("flask_app", tmp_path), FLASK, "--no-refresh") as tab:
        tab.site.edit("notes/views/pages.py", 'heading="Notes"', 'heading="New"')
        tab.site.shows("<h1>New</h1>")
        # An event that comes later shows that those of before have been heard.
        tab.site.edit("notes/views/pages.py", "def add()", "def add(")
        tab.wait(lambda: tab.overlay, "the overlay")
        assert tab.heading == "Notes"
        assert not tab.was_loaded_again


def test_there_is_nothing_of_ours_in_a_page_without_refresh_and_overlay(driver: Any, tmp_path: Path) -> None:
    with opened(driver, copied("flask_app", tmp_path), FLASK, "--no-refresh", "--no-overlay") as tab:
        assert "pyautoload" not in tab.driver.page_source
        assert "pyautoload" not in tab.site.get("/").text


@pytest.mark.parametrize("policy", ["default-src 'self'", "default-src 'none'; form-action 'self'"])
def test_a_page_with_a_strict_policy_keeps_working(driver: Any, tmp_path: Path, policy: str) -> None:
    directory = copied("flask_app", tmp_path)
    pages = directory / "notes/views/pages.py"
    pages.write_text(pages.read_text(encoding="utf-8") + POLICY.format(policy), encoding="utf-8")
    with opened(driver, directory, FLASK) as tab:
        assert tab.heading == "Notes"
        tab.site.edit("notes/views/pages.py", 'heading="Notes"', 'heading="New"')
        tab.site.shows("<h1>New</h1>")
        if "'self'" in policy.partition(";")[0]:
            tab.shows("New")
        else:  # no script may run: the page is as the application made it
            assert "pyautoload" not in tab.site.get("/").text
            tab.driver.refresh()
            assert tab.heading == "New"


def test_a_page_of_fastapi_is_live_and_shows_mistakes(driver: Any, tmp_path: Path) -> None:
    pytest.importorskip("fastapi", reason="FastAPI is not installed")
    with opened(driver, copied("fastapi_app", tmp_path), "shop.api:app") as tab:
        tab.site.edit("shop/routes/products.py", "<h1>Shop</h1>", "<h1>Tea shop</h1>")
        tab.shows("Tea shop")
        tab.site.edit("shop/models/product.py", "name: str", "name str")
        tab.wait(lambda: "product.py:" in tab.overlay, "the overlay")
        tab.site.edit("shop/models/product.py", "name str", "name: str")
        tab.wait(lambda: not tab.overlay, "the overlay gone")


def test_a_restart_is_followed_by_the_page(driver: Any, tmp_path: Path) -> None:
    directory = copied("flask_app", tmp_path)
    (directory / "settings.py").write_text("HEADING = 'Notes'\n", encoding="utf-8")
    pages = directory / "notes/views/pages.py"
    text = pages.read_text(encoding="utf-8").replace('heading="Notes"', "heading=settings.HEADING")
    pages.write_text(text.replace("from flask", "import settings\nfrom flask", 1), encoding="utf-8")
    with opened(driver, directory, FLASK) as tab:
        assert tab.heading == "Notes"
        tab.site.write("settings.py", "HEADING = 'Restarted'\n")
        tab.shows("Restarted")
        assert tab.site.started == 2


def test_the_address_with_the_secret_opens_the_panel(driver: Any, tmp_path: Path) -> None:
    directory = copied("flask_app", tmp_path)
    with opened(driver, directory, FLASK, "--secret") as tab:
        assert tab.heading == "Notes"
        assert "client.js" not in driver.page_source
        address = re.search(r"http://\S+/__pyautoload__/open\?\S+", tab.site.log)
        assert address
        driver.get(address[0])
        tab.shows("Notes")
        tab.mark()
        tab.site.edit("notes/views/pages.py", 'heading="Notes"', 'heading="Known"')
        tab.shows("Known")
        assert tab.was_loaded_again
        assert "__pyautoload__" not in driver.current_url
