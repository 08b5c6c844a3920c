"""Draw a page of scored pictures with their labels, for the README: right ones green, wrong ones red.

python tools/draw_result.py PICTURES_FOLDER SCORED.csv PAGE.jpg [--count 24]
"""

import argparse
import csv
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

SIDE, GAP, BAND, COLUMNS = 150, 14, 30, 8
PAPER, INK, RIGHT, WRONG = "#ffffff", "#1c2733", "#1a7f4b", "#c0392b"


def draw(folder, rows):
    lines = -(-len(rows) // COLUMNS)
    page = Image.new("RGB", (GAP + COLUMNS * (SIDE + GAP), GAP + lines * (SIDE + BAND + GAP)), PAPER)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(15)
    for place, row in enumerate(rows):
        left = GAP + place % COLUMNS * (SIDE + GAP)
        top = GAP + place // COLUMNS * (SIDE + BAND + GAP)
        with Image.open(folder / row["images"].lstrip("/")) as image:
            page.paste(ImageOps.fit(image.convert("RGB"), (SIDE, SIDE)), (left, top))
        colour = RIGHT if row["images"].startswith(f"/{row['label']}/") else WRONG
        pen.rectangle((left, top + SIDE, left + SIDE - 1, top + SIDE + 3), fill=colour)
        label = row["label"].replace("_", " ")
        pen.text((left + 2, top + SIDE + 9), label, INK, font)
        chance = f"{float(row['probability']):.0%}"
        pen.text((left + SIDE - 2 - pen.textlength(chance, font), top + SIDE + 9), chance, colour, font)
    return page


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("scored", type=Path)
    parser.add_argument("page", type=Path)
    parser.add_argument("--count", type=int, default=24)
    given = parser.parse_args()
    with given.scored.open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["error"] == "0"]
    step = max(1, len(rows) // given.count)
    draw(given.folder, rows[::step][: given.count]).save(given.page, quality=85, optimize=True)


if __name__ == "__main__":
    main()
