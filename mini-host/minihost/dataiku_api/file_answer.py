"""A file as the API client hands it out: an answer over HTTP in DSS, with `raw`, `content` and the like."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any


class FileAnswer(io.BufferedReader):
    """A binary stream with the names of an answer of requests that are about its body; `raw` is the stream below."""

    ok = True
    status_code = 200
    encoding = "utf-8"

    @property
    def content(self) -> bytes:
        """The whole file; a second time too."""
        if not hasattr(self, "_content"):
            self._content = self.read()
        return self._content

    @property
    def text(self) -> str:
        """The whole file as text, in UTF-8."""
        return self.content.decode(self.encoding, "replace")

    def json(self, **options: Any) -> Any:
        """What a JSON file says."""
        return json.loads(self.content, **options)

    def iter_content(self, chunk_size: int | None = 1, decode_unicode: bool = False) -> Iterator[bytes]:
        """The file piece by piece."""
        while piece := self.read(chunk_size or 1 << 16):
            yield piece

    def iter_lines(self, chunk_size: int = 512, decode_unicode: bool = False) -> Iterator[bytes]:
        """The file line by line, without line ends."""
        for line in self:
            yield line.rstrip(b"\r\n")

    def raise_for_status(self) -> None:
        """Nothing: a file that is missing has raised already."""
