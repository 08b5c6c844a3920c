import pytest

from minihost.ui.app import make_app
from minihost.ui.workspace import Workspace


@pytest.fixture
def client_of():
    """Return a function: project folder -> a client of its pages, as if `Guard` had let it through."""

    def client(folder, *plugins):
        return make_app(Workspace(folder, plugins)).test_client()

    return client
