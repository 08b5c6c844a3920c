"""The separate process that decodes: same answers, and a crash or a hang becomes a reason."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import closing

import numpy as np
import pytest
from images.files import bad_files, encoded, good_files, picture

from vision_recipes.images import decoder_process
from vision_recipes.images.decoder_process import DecoderProcess
from vision_recipes.images.decoding import Limits, Rejected, decode
from vision_recipes.images.picture_decoder import PictureDecoder
from vision_recipes.preprocessing import Preprocessing

WANTED = Preprocessing(40, 30, resize="pad")


def test_a_decoder_process_answers_as_the_process_itself_does() -> None:
    with closing(DecoderProcess()) as decoder:
        for content in good_files().values():
            assert np.array_equal(decoder.decode(content, WANTED), decode(content, WANTED))
        for content, reason in bad_files().values():
            with pytest.raises(Rejected) as caught:
                decoder.decode(content, WANTED)
            assert caught.value.reason == reason


def _process_that(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    popen = decoder_process.subprocess.Popen
    code = f"import sys; sys.stdout.write({decoder_process.READY.decode()!r}); sys.stdout.flush(); {code}"

    def start(command: list[str], **options: object) -> object:
        return popen([sys.executable, "-c", code], **options)

    monkeypatch.setattr(decoder_process.subprocess, "Popen", start)


def test_a_process_that_dies_is_crashed_with_its_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    _process_that(monkeypatch, "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    with closing(DecoderProcess()) as decoder, pytest.raises(Rejected) as caught:
        decoder.decode(encoded(picture(), "TIFF"), WANTED)
    assert caught.value.reason == "crashed" and str(-signal.SIGSEGV) in caught.value.detail


def test_a_process_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    _process_that(monkeypatch, "import time; time.sleep(60)")
    with closing(DecoderProcess(Limits(decode_seconds=0.3))) as decoder, pytest.raises(Rejected) as caught:
        decoder.decode(encoded(picture(), "TIFF"), WANTED)
    assert caught.value.reason == "timeout"


def test_a_slow_start_counts_against_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    popen = decoder_process.subprocess.Popen

    def start(command: list[str], **options: object) -> object:
        code = "import os, sys, time; time.sleep(0.6); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
        return popen([command[0], "-c", code, *command[1:]], **options)

    with closing(DecoderProcess(Limits(decode_seconds=0.5))) as decoder:
        monkeypatch.setattr(decoder_process.subprocess, "Popen", start)
        assert decoder.decode(encoded(picture(), "TIFF"), WANTED).shape == (30, 40, 3)


def test_a_process_that_never_gets_ready_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    popen = decoder_process.subprocess.Popen
    monkeypatch.setattr(
        decoder_process.subprocess, "Popen", lambda command, **options: popen([command[0], "-c", "exit(3)"], **options)
    )
    with closing(DecoderProcess()) as decoder, pytest.raises(Rejected, match="did not start, it ended with status 3"):
        decoder.decode(encoded(picture(), "TIFF"), WANTED)


def test_decoding_goes_on_after_the_process_was_killed() -> None:
    content = encoded(picture(), "TIFF")
    with closing(DecoderProcess()) as decoder:
        decoder.decode(content, WANTED)
        assert decoder._process is not None
        os.kill(decoder._process.pid, signal.SIGKILL)
        assert np.array_equal(decoder.decode(content, WANTED), decode(content, WANTED))


def test_only_a_jpeg_with_scans_after_the_first_may_have_too_many() -> None:
    plain, progressive = (encoded(picture(64, 48), "JPEG", progressive=several) for several in (False, True))
    full_of_scans = b"\xff\xfe\x00\x22" + b"\xff\xda" * 16
    with closing(PictureDecoder(WANTED, Limits(scans=12))) as decoder:
        for content, apart in ((plain, False), (progressive, True)):
            commented = content[:2] + full_of_scans + content[2:]  # a comment that looks like scans
            found = decoder.picture("/x.jpg", lambda commented=commented: commented)  # type: ignore[misc]
            assert np.array_equal(found.pixels, decode(content, WANTED))
            assert (decoder._process is not None) == apart
