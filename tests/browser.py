"""A real browser without a window and without a network, for pages that we write. Selenium drives Debian's Chromium."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import tempfile

import pytest

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--no-proxy-server", "--disable-dev-shm-usage",
)  # fmt: skip
PROGRAMS, DRIVERS = ("chromium", "chromium-browser", "google-chrome"), ("chromedriver",)


def _first(names):
    return next((path for name in names if (path := shutil.which(name))), None)


def needed():
    """Skip where there is no browser, saying what is missing; fail where there must be one."""
    missing = [
        name
        for name, there in (
            ("selenium", importlib.util.find_spec("selenium")),
            ("chromium", _first(PROGRAMS)),
            ("chromedriver", _first(DRIVERS)),
        )
        if not there
    ]
    if missing:
        reason = f"no browser to look at the page with: {', '.join(missing)} is missing"
        must = os.environ.get("RLSOFTMAX_BROWSER") == "required" or os.environ.get("CI") == "true"
        (pytest.fail if must else pytest.skip)(reason)


@contextlib.contextmanager
def browser(downloads):
    """Yield a driver of a fresh browser, which forgets everything afterwards."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.binary_location = _first(PROGRAMS)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
        driver = webdriver.Chrome(options=options, service=Service(_first(DRIVERS)))  # never looks for one online
        try:
            yield driver
        finally:
            driver.quit()
