"""Where the tests lie: the checkout, with its pages and examples, and the host's distribution in it."""

from pathlib import Path

HOST = Path(__file__).resolve().parents[1]
ROOT = HOST.parent
