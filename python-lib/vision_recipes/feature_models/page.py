"""The page of a training: one self-contained HTML file."""

from __future__ import annotations

import datetime

from vision_recipes.feature_models.leaderboard import WORDS, Training
from vision_recipes.reports.rendering import render


def render_page(training: Training) -> bytes:
    """Return the page as UTF-8."""
    return render(
        "feature_models.html",
        {
            "training": training,
            "forms": WORDS,
            "made": datetime.datetime.now().astimezone().strftime("%d %B %Y, %H:%M"),
        },
    )
