"""What starts with the engine, and what must not."""

from __future__ import annotations

import subprocess
import sys


def test_the_engine_starts_without_the_converter_that_phones_home() -> None:
    code = "import sys, vision_recipes, openvino; print(*sorted(sys.modules)); openvino.Core()"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "openvino" in loaded and "vision_recipes" in loaded
    assert not {"openvino_telemetry", "openvino.tools.ovc.telemetry_utils", "urllib.request"} & set(loaded)
