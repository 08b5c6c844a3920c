"""A local S3 server for the tests of storages, with a bucket for each; nothing leaves this machine."""

from itertools import count

import pytest
from faulty_proxy import FaultyProxy

_numbers = count()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory):
    """Return the URL of a server that starts once, with credentials for it (and for nothing else) in the environment."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    pytest.importorskip("s3fs")
    server.start()
    host, port = server.get_host_and_port()
    nowhere = tmp_path_factory.mktemp("aws") / "none"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "dummy-key-of-the-tests")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "dummy-secret-of-the-tests")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", str(nowhere))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(nowhere))
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        yield f"http://{host}:{port}"
    server.stop()


class Bucket:
    """A bucket of the server's, filled and read without going through the code that is tested."""

    def __init__(self, name):
        from moto.s3.models import s3_backends

        self.name = name
        self._backend = s3_backends["123456789012"]["aws"]
        self._backend.create_bucket(name, "us-east-1")

    def put(self, **files):
        for key, content in files.items():
            self[key] = content

    def __setitem__(self, key, content):
        self._backend.put_object(self.name, key, content)

    def __delitem__(self, key):
        self._backend.delete_object(self.name, key)

    def content(self):
        """Return key -> content of every object."""
        return {key: found.value for key, found in sorted(self._backend.buckets[self.name].keys.items())}

    def unfinished(self):
        """Return the keys of multipart uploads that are neither completed nor aborted."""
        return [one.key_name for one in self._backend.buckets[self.name].multiparts.values()]

    def url(self, key=""):
        return f"s3://{self.name}/{key}"


@pytest.fixture
def bucket(s3_server):
    return Bucket(f"bucket-{next(_numbers)}")


@pytest.fixture
def proxy(s3_server):
    """A proxy before the server that fails as told: `endpoint_url` of its `options` leads to it."""
    found = FaultyProxy(s3_server)
    found.options = {"endpoint_url": found.url, "attempts": 2}
    yield found
    found.close()
