"""A browser for the pages: Chromium of the system, with every violation of the policy and every script error kept."""

import os
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import pytest
from django.conf import settings as django_settings
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from portal.identity.models import User
from tests.conftest import People
from tests.pages.conftest import ask, failed, ready, running, waiting

__all__ = ["ask", "failed", "ready", "running", "waiting"]

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WATCH = """
window.__csp = [];
document.addEventListener('securitypolicyviolation', e => window.__csp.push(e.effectiveDirective + ' ' + e.blockedURI));
"""

# Playwright's sync API runs an event loop in this thread, and Django looks for one before it asks the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


class Visitor:
    """One person in one browser."""

    def __init__(self, context: BrowserContext, base: str) -> None:
        context.add_init_script(WATCH)
        self.base = base
        self.page: Page = context.new_page()
        self.page.emulate_media(reduced_motion="reduce")
        self.errors: list[str] = []
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _on_console(self, message: ConsoleMessage) -> None:
        # A refusal is an answer: the browser reports its status as an error of the console.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.errors.append(message.text)

    def goto(self, path: str) -> Page:
        self.page.goto(self.base + path)
        return self.page

    def violations(self) -> list[str]:
        return self.page.evaluate("window.__csp") + self.errors

    def settle(self) -> None:
        """Wait until two frames are drawn, and then for finite animations."""
        self.page.evaluate(
            """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))
                .then(() => Promise.all(document.getAnimations()
                .filter(a => a.effect.getComputedTiming().endTime !== Infinity)
                .map(a => a.finished.catch(() => 0))))"""
        )

    def findings(self, name: str) -> list[Any]:
        """What axe finds, what the policy blocked, and how far the page can be scrolled sideways."""
        self.settle()
        self.page.evaluate(AXE)  # evaluate() is exempt from the page's policy; a script element is not
        result = self.page.evaluate("t => axe.run(document, {runOnly: {type: 'tag', values: t}})", TAGS)
        found: list[Any] = [
            (name, each["id"], each["nodes"][0]["html"][:160], each["nodes"][0]["failureSummary"][:200])
            for each in result["violations"]
        ]
        over = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        if over > 0:
            found.append((name, "can be scrolled sideways", over))
        return found + [(name, violation) for violation in self.violations()]


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(browser: Browser, live_server: Any, client_for: Any) -> Iterator[Visit]:
    """A browser of its own for a person who is signed in."""
    contexts = []

    def open_for(user: User | None = None, *, width: int = 1440, scheme: str = "light") -> Visitor:
        viewport = {"width": width, "height": 900}
        context = browser.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
        contexts.append(context)
        if user is not None:
            name = django_settings.SESSION_COOKIE_NAME
            value = client_for(user).cookies[name].value
            context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
        return Visitor(context, live_server.url)

    yield open_for
    for context in contexts:
        context.close()


@pytest.fixture
def everything(
    transactional_db: None, people: People, waiting: Any, running: Any, failed: Any, ready: Any
) -> dict[str, str]:
    """Paths of pages that have something on them."""
    return {
        "waiting": f"/requests/{waiting.pk}/",
        "running": f"/requests/{running.pk}/",
        "failed": f"/requests/{failed.pk}/",
        "ready": f"/resources/{ready.pk}/",
    }
