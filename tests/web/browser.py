"""A real Chromium, and `panfocus view` in a process of its own."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager

import pytest

#: Quiet and alone: no update, no sync, nothing sent to anybody.
ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-background-networking", "--disable-gpu",
    "--no-first-run", "--disable-component-update", "--disable-sync", "--enable-unsafe-swiftshader",
]  # fmt: skip
#: What is no fault: the graphics of a machine without any, a picture that is taken off the stage
#: while a tile of it is on its way, and an answer that what was asked for has gone meanwhile.
QUIET = ("GPU stall", "Ignoring tile", "410 (Gone)")
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def chromium():
    """Return where a Chromium is, or skip."""
    pytest.importorskip("playwright", reason="the page is tried with Playwright (extra dev)")
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium is here: the page was not tried in a browser")
    return found


@contextmanager
def viewing(*words):
    """Run `panfocus view`; yield the address it prints."""
    with serving_process(*words) as (address, _):
        yield address


@contextmanager
def serving_process(*words):
    """Run `panfocus view`; yield the address it prints, and its process."""
    command = [sys.executable, "-m", "panfocus", "view", *map(str, words), "--no-open"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        address = server.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:"), server.stderr.read()
        yield address, server
    finally:
        server.terminate()
        _, said = server.communicate(timeout=120)
    assert "Traceback" not in said, said


@contextmanager
def browsing():
    """Yield a browser."""
    from playwright.sync_api import sync_playwright

    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def page_of(browser, address, **how):
    """Yield a page; nothing may be said on its console, and nothing asked of anybody else."""
    context = browser.new_context(
        **{"viewport": {"width": 1280, "height": 800}, "locale": "en-US", **how},
        reduced_motion="reduce",
    )
    page = context.new_page()
    said, asked = [], []
    page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(error.stack or str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.set_default_timeout(90_000)
    try:
        yield page
    except Exception as error:  # what was to be seen, and was said, tells why
        error.add_note(f"console: {said}\npage: {page.inner_text('body')[:2000]}")
        raise
    home = address.partition("/?")[0]
    assert [url for url in asked if not url.startswith((f"{home}/", "blob:", "data:"))] == []
    told = [text for text in said if not any(quiet in text for quiet in QUIET)]
    assert not told, told
    context.close()
