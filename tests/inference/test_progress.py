"""The log of a pass over pictures names what a user can act on."""

from __future__ import annotations

import logging

import pytest

from vision_recipes.inference.forward_pass import Progress
from vision_recipes.pictures import Picture


def test_repaired_and_unsupported_files_are_named_once(caplog: pytest.LogCaptureFixture) -> None:
    progress = Progress("classified", 9)
    for number in range(7):
        progress.add(Picture(f"/{number}.jpg", repaired=True))
    for name in ("/a.heic", "/b.heic"):
        progress.add(Picture(name, reason="unsupported_format", detail="HEIC: install pillow-heif, or convert"))
    with caplog.at_level(logging.INFO, "vision_recipes"):
        progress.finish()
    lines = [record.getMessage() for record in caplog.records]
    assert "7 pictures were repaired, only the end marker was missing: /0.jpg, /1.jpg, /2.jpg" in lines[-1]
    assert lines[-1].endswith("and 2 more")
    assert lines[-2] == "unsupported_format: HEIC: install pillow-heif, or convert (2 files: /a.heic, /b.heic)"
