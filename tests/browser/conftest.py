"""Shared by the tests of pages: one Chromium for each file."""

import chromium
import pytest


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    driver = chromium.start(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()
