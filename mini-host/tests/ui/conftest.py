import contextlib
import threading

import pytest
from served_webapps import CHROMIUM
from werkzeug.serving import make_server

from minihost.ui.app import make_app
from minihost.ui.workspace import Workspace


@pytest.fixture
def client_of():
    """Return a function: project folder -> a client of its pages, as if `Guard` had let it through."""

    def client(folder, *plugins):
        return make_app(Workspace(folder, plugins)).test_client()

    return client


@pytest.fixture
def browsing():
    """Return a context: project folder, address, width -> a page of Chromium, whose scripts must not fail."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here")
    playwright = pytest.importorskip("playwright.sync_api")

    @contextlib.contextmanager
    def browse(folder, address, width):
        server = make_server("127.0.0.1", 0, make_app(Workspace(folder)), threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with playwright.sync_playwright() as library:
            browser = library.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": width, "height": 800})
            errors = []
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
            page.goto(f"http://127.0.0.1:{server.server_port}{address}")
            yield page
            browser.close()
        server.shutdown()
        assert errors == []

    return browse
