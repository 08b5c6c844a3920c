"""Copies of photos: how many vision-similar finds, by what was done to them, and how many other pictures it joins.

python -m benchmarks.copies PHOTOS [--part odd] [--seed 11] [--list]
"""

from __future__ import annotations

import argparse
import csv
import io
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

ROOT = Path(__file__).resolve().parents[1]
PARTS = {"all": slice(None), "even": slice(0, None, 2), "odd": slice(1, None, 2)}
ORIGINAL = "original"
SAME_WITHIN = 4
"""Mean difference in grey levels at 32 x 32 pixels of two photos that are the same."""

Edit = Callable[[Image.Image, Random], tuple[Image.Image, str]]
"""Returns the edited picture and the suffix it is saved with."""


def main() -> None:
    """Print the copies found by kind of edit, and the pairs of different photos in one group."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--part", choices=PARTS, default="all", help="which photos are copied; all are compared")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--list", action="store_true", help="print each copy that was missed, each false pair")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = make_copies(given.photos, folder / "pictures", PARTS[given.part], given.seed)
        command = ["run", "vision-similar", "--plugin", str(ROOT), "-i", "image_folder=pictures"]
        command = [sys.executable, "-m", "minihost", *command, "-o", "group_dataset=groups.csv"]
        subprocess.run(command, check=True, cwd=folder)  # noqa: S603
        with open(folder / "groups.csv", encoding="utf-8", newline="") as stream:
            groups = {row["images"].lstrip("/"): row for row in csv.DictReader(stream)}
    missed, wrong = judged(groups)
    for kind, count in made.items():
        few = sum(path.split("_")[1].split(".")[0] == kind for path in missed)
        print(f"{kind}: {count - few} of {count} found, {(count - few) / count:.1%}")
    pairs = sum(row["keep"] == "0" for row in groups.values())
    print(f"different photos: {len(wrong)} of {pairs} pairs, {len(wrong) / max(1, pairs):.2%}")
    if given.list:
        print(*sorted(missed), *(f"{one} {other} {groups[one]['agreement']}" for one, other in wrong), sep="\n")


def judged(groups: dict[str, dict[str, str]]) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the copies that are not in a group with their original, and the pairs of different photos in a group."""
    originals = {path.split("_")[0]: row["group"] for path, row in groups.items() if ORIGINAL in path}
    missed = [path for path, row in groups.items() if row["group"] != originals[path.split("_")[0]]]
    kept = ((path, row["representative"].lstrip("/")) for path, row in groups.items())
    return missed, [(one, other) for one, other in kept if one.split("_")[0] != other.split("_")[0]]


def make_copies(photos: Path, target: Path, part: slice, seed: int) -> Counter[str]:
    """Write all photos and five copies of those of a part, as NUMBER_KIND; return the number of copies by kind.

    Photos that are there twice, the same within SAME_WITHIN, are written once.
    """
    target.mkdir()
    random, made, seen = Random(seed), Counter[str](), np.empty((0, 32 * 32 * 3), np.float32)  # noqa: S311 - repeatable
    files = sorted(path for path in photos.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    copied = set(files[part])
    for number, path in enumerate(files):
        with Image.open(path) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB")
        small = np.asarray(picture.resize((32, 32), Image.Resampling.BOX), np.float32).ravel()
        if (abs(seen - small).mean(axis=1) < SAME_WITHIN).any():
            print(f"{path.name} is there twice")
            continue
        seen = np.vstack([seen, small])
        picture.save(target / f"{number:05}_{ORIGINAL}.jpg", quality=92)
        for kind, edit in EDITS.items() if path in copied else ():
            edited, suffix = edit(picture, random)
            edited.save(target / f"{number:05}_{kind}{suffix}", quality=random.randint(60, 90))
            made[kind] += 1
    return made


def _recompressed(picture: Image.Image, random: Random) -> tuple[Image.Image, str]:
    content, webp = io.BytesIO(), random.random() < 0.5
    picture.save(content, "WEBP" if webp else "JPEG", quality=random.randint(30, 90))
    return Image.open(content).convert("RGB"), ".webp" if webp else ".jpg"


def _resized(picture: Image.Image, random: Random) -> tuple[Image.Image, str]:
    """Return the picture at 0.3 to 0.8 of its sides; one in three has its sides changed by up to 10 % from another."""
    factor, stretch = random.uniform(0.3, 0.8), random.uniform(0.9, 1.1) if random.random() < 1 / 3 else 1
    sides = max(1, round(picture.width * factor * stretch)), max(1, round(picture.height * factor))
    return picture.resize(sides, random.choice([Image.Resampling.BILINEAR, Image.Resampling.LANCZOS])), ".jpg"


def _mirrored(picture: Image.Image, random: Random) -> tuple[Image.Image, str]:
    return ImageOps.mirror(picture), random.choice([".jpg", ".webp"])


def _cropped(picture: Image.Image, random: Random) -> tuple[Image.Image, str]:
    """Return 90 % of both sides, beside the centre: at least three quarters of what is cut away are on one side."""
    width, height = (round(side * 0.9) for side in picture.size)
    left, top = (
        round((side - part) * random.choice([random.uniform(0, 0.25), random.uniform(0.75, 1)]))
        for side, part in zip(picture.size, (width, height), strict=True)
    )
    return picture.crop((left, top, left + width, top + height)), ".jpg"


def _recoloured(picture: Image.Image, random: Random) -> tuple[Image.Image, str]:
    return random.choice([_grey, _other_hues, _brighter, _contrasty, _sepia])(picture, random), ".jpg"


def _grey(picture: Image.Image, _: Random) -> Image.Image:
    return ImageOps.grayscale(picture).convert("RGB")


def _other_hues(picture: Image.Image, random: Random) -> Image.Image:
    hue, *rest = picture.convert("HSV").split()
    shift = random.randint(20, 235)
    return Image.merge("HSV", (hue.point([(value + shift) % 256 for value in range(256)]), *rest)).convert("RGB")


def _brighter(picture: Image.Image, random: Random) -> Image.Image:
    return ImageEnhance.Brightness(picture).enhance(random.choice([0.7, 1.3]))


def _contrasty(picture: Image.Image, random: Random) -> Image.Image:
    return ImageEnhance.Contrast(picture).enhance(random.choice([0.7, 1.3]))


def _sepia(picture: Image.Image, _: Random) -> Image.Image:
    mixed = np.asarray(picture, np.float32) @ np.array(
        [[0.393, 0.349, 0.272], [0.769, 0.686, 0.534], [0.189, 0.168, 0.131]], np.float32
    )
    return Image.fromarray(np.clip(mixed, 0, 255).astype(np.uint8))


EDITS: dict[str, Edit] = {
    "recompressed": _recompressed,
    "resized": _resized,
    "mirrored": _mirrored,
    "cropped": _cropped,
    "recoloured": _recoloured,
}


if __name__ == "__main__":
    main()
