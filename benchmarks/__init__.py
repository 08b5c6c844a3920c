"""Measurements of this project and its peers; some draw their pictures with the example plugin of this checkout."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "examples" / "sample-pictures" / "python-lib"))
