"""Made-up pen signs by the hundred, in many hands: what teaches the starter network how strokes lie to one another.

They are few formulas with much variety: which points a stroke joins makes the sign; how the hand shook, leaned and
stretched it, how broad the pen was and how coarse the scanner differ from picture to picture.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from starter_subjects import smooth_line
from torch.nn import functional

SIGNS = 1500
PER_SIGN = 48
STORED = 48
"""Pixels a side of a stored mask."""

SCANS = (8, 8, 8, 9, 10, 12, 14, 16, 28, 40)
"""Pixels a side that a scanner saw of a sign: mostly few."""

BLUR = (Image.Resampling.BICUBIC, Image.Resampling.BICUBIC, Image.Resampling.BILINEAR, Image.Resampling.NEAREST)

Stroke = tuple[np.ndarray, bool]
"""The points of -1..1 that a stroke joins, (n, 2), and whether it bends."""


def make_signs(count: int = SIGNS) -> list[list[Stroke]]:
    """Return so many signs of one to three strokes, always the same."""
    random, signs = np.random.default_rng([79, 5]), []
    for _sign in range(count):
        strokes, number = [], int(random.choice([1, 1, 2, 2, 3]))
        for _stroke in range(number):
            points = int(random.integers(3 if number == 1 else 2, 6))
            if random.random() < 0.5:
                joined = random.uniform(-1, 1, (points, 2))
            else:
                joined = random.integers(-1, 2, (points, 2)) * 0.9 + random.normal(0, 0.1, (points, 2))
            if points > 2 and random.random() < 0.3:
                joined = np.concatenate([joined, joined[:1]])
            strokes.append((joined, bool(random.random() < 0.7)))
        signs.append(strokes)
    return signs


def written(random: np.random.Generator, strokes: list[Stroke]) -> np.ndarray:
    """Return one hand's picture of a sign, uint8 (48, 48): how much ink a scanner saw, upright and in the middle."""
    shake = random.uniform(0.04, 0.13)
    shaken = [(points + random.normal(0, shake, points.shape), bends) for points, bends in strokes]
    angle, lean = random.normal(0, 0.12), random.normal(0, 0.2)
    turn = np.array([[np.cos(angle), lean - np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    lines = [(smooth_line(points) if bends and len(points) > 2 else points) @ turn.T for points, bends in shaken]
    low, high = (edge(np.concatenate(lines), axis=0) for edge in (np.min, np.max))
    width = random.uniform(0.064, 0.24)
    size = random.uniform(0.85, 1.05) if random.random() < 0.6 else random.uniform(0.5, 0.95)
    size = size * (2 - 1.6 * width) / max(float((high - low).max()), 0.3)
    stretch = size * np.array([random.uniform(0.75, 1.15), random.uniform(0.9, 1.05)])
    off = random.normal(0, 0.06, 2)
    seen = int(random.choice(SCANS))
    side = seen * (6 if seen <= 16 else 2)
    sheet = Image.new("L", (side, side))
    pen, ink = ImageDraw.Draw(sheet), max(1, round(width * side))
    for line in lines:
        at = [(float(x), float(y)) for x, y in ((line - (low + high) / 2) * stretch + off + 1) * side / 2]
        pen.line(at, fill=255, width=ink, joint="curve")
        for x, y in (at[0], at[-1]):
            pen.ellipse([x - ink / 2, y - ink / 2, x + ink / 2, y + ink / 2], fill=255)
    mask = np.asarray(sheet.resize((seen, seen), Image.Resampling.BOX)) / 255
    if seen <= 16:
        if random.random() < 0.7:
            mask = mask / max(float(mask.max()), 0.3)
        if random.random() < 0.5:
            mask = mask * random.uniform(1, 1.5)
        mask = mask + random.normal(0, random.uniform(0, 0.06), mask.shape) * (mask > 0)
    scan = Image.fromarray((np.clip(mask, 0, 1) * 255).astype(np.uint8))
    return np.asarray(scan.resize((STORED, STORED), BLUR[random.integers(len(BLUR))]))


def write_signs(path: Path) -> np.ndarray:
    """Return the file's masks, uint8 (PER_SIGN * SIGNS, 48, 48), sign by sign in turn; drawn if there is no file."""
    if not path.exists():
        part, signs, random = path.with_suffix(".part"), make_signs(), np.random.default_rng(11)
        masks = np.lib.format.open_memmap(part, "w+", np.uint8, (PER_SIGN, SIGNS, STORED, STORED))
        for row in masks:
            for number, strokes in enumerate(signs):
                row[number] = written(random, strokes)
        masks.flush()
        part.rename(path)
    return np.asarray(np.load(path, mmap_mode="r").reshape(-1, STORED, STORED))


def inked(masks: np.ndarray, side: int, random: np.random.Generator) -> torch.Tensor:
    """Return masks (n, 48, 48) as pictures (n, 3, side, side) of -1..1: moved a little, black, white or in colours."""
    count = len(masks)
    frame = torch.zeros(count, 2, 3)
    frame[:, 0, 0] = torch.from_numpy(random.uniform(0.9, 1.15, count))
    frame[:, 1, 1] = torch.from_numpy(random.uniform(0.93, 1.1, count))
    frame[:, :, 2] = torch.from_numpy(random.normal(0, 0.05, (count, 2)))
    grid = functional.affine_grid(frame, [count, 1, side, side], align_corners=False)
    ink = torch.from_numpy(masks).float().div_(255)[:, None]
    ink = functional.grid_sample(ink, grid, padding_mode="zeros", align_corners=False)
    paper, pen = (torch.from_numpy(part).float()[..., None, None] for part in _shades(count, random))
    grain = torch.randn(count, 3, side, side) * torch.from_numpy(random.uniform(0, 0.03, (count, 1, 1, 1))).float()
    return ((paper + (pen - paper) * ink) * 2 - 1 + grain).clamp_(-1, 1).contiguous(memory_format=torch.channels_last)


def _shades(count: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the colours of papers and pens, each (count, 3): light on dark, dark on light, or any that differ."""
    paper, pen, kind = np.empty((count, 3)), np.empty((count, 3)), random.random(count)
    for number in range(count):
        if kind[number] < 0.4:
            paper[number], pen[number] = random.uniform(0, 0.1), random.uniform(0.75, 1)
        elif kind[number] < 0.65:
            paper[number], pen[number] = random.uniform(0.75, 1), random.uniform(0, 0.25)
        else:
            paper[number], pen[number] = random.uniform(0, 1, (2, 3))
            while abs(paper[number].mean() - pen[number].mean()) < 0.3:
                paper[number], pen[number] = random.uniform(0, 1, (2, 3))
    return paper, pen
