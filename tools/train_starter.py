"""Pre-train the bundled starter network on pictures made of formulas, and write its weights as a Keras file.

Run:  python tools/train_starter.py WORK_FOLDER [--minutes 70]      (needs PyTorch, which nothing else here needs)
Then: python tools/pack_starter.py WORK_FOLDER                      writes resource/starter

Small pictures first, large ones last (progressive resizing): much of the learning costs half the time. The learning
rate follows the share of the minutes that is spent, so a run on a busy machine ends in time as well, having seen fewer.
It does not fall to nothing: weights averaged over the last part of the run (Izmailov et al. 2018, "Averaging weights
leads to wider optima") transfer better to other pictures than weights that have settled on these.

A quarter of each batch are made-up pen signs of many hands, with a last layer of their own that is not kept: what is
pooled over a whole picture otherwise tells little of how strokes lie to one another.

The shipped weights come from runs that went on from one another: one of the album alone, one with signs in half of each
batch, and one as it is here.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from starter_album import HELD_OUT_SEED, draw_album
from starter_network import FEATURES, Network
from starter_pictures import SIDE
from starter_signs import SIGNS, inked, write_signs
from starter_subjects import SUBJECTS
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, update_bn

PLAN = ((0.2, 64), (0.4, 80), (1.0, 96))
"""Until which share of the time pictures of which side are shown."""

BATCH, SIGNS_IN_BATCH = 36, 12
SIGNS_WEIGHT = 0.25
TOP_RATE = 0.1
LAST_RATE = 0.02
AVERAGED_FROM = 0.75
"""From which share of the time on the weights are averaged."""

HEAD_SHARE = 0.1
"""The last layer learns slower: all of its 1280 inputs are positive, so its steps add up."""


def augmented(batch: np.ndarray, side: int, random: np.random.Generator) -> torch.Tensor:
    """Return pictures as the network takes them: cropped and mirrored at random, recoloured a little, -1..1."""
    pictures = torch.from_numpy(batch).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
    count = len(pictures)
    scale = torch.from_numpy(random.uniform(0.75, 1.05, (count, 2)).astype(np.float32))
    flip = torch.from_numpy(random.choice([-1.0, 1.0], count).astype(np.float32))
    shift = torch.from_numpy(random.uniform(-0.15, 0.15, (count, 2)).astype(np.float32))
    frame = torch.zeros(count, 2, 3)
    frame[:, 0, 0], frame[:, 1, 1], frame[:, :, 2] = scale[:, 0] * flip, scale[:, 1], shift
    grid = functional.affine_grid(frame, [count, 3, side, side], align_corners=False)
    moved = functional.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)
    gain = torch.from_numpy(random.normal(1, 0.12, (count, 3, 1, 1)).astype(np.float32))
    offset = torch.from_numpy(random.normal(0, 0.08, (count, 1, 1, 1)).astype(np.float32))
    return (moved * gain + offset).clamp_(-1, 1).contiguous(memory_format=torch.channels_last)


def accuracy(network: Network, album: np.ndarray, side: int) -> float:
    """Return the share of held-out pictures whose class is guessed, when shown at so many pixels a side."""
    network.eval()
    right = 0
    with torch.inference_mode():
        for row in album:
            pictures = torch.from_numpy(np.array(row)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
            shown = functional.interpolate(pictures, size=(side, side), mode="area")
            guesses = network(shown.contiguous(memory_format=torch.channels_last)).argmax(1).numpy()
            right += int((guesses == np.arange(len(SUBJECTS))).sum())
    network.train()
    return right / (len(album) * len(SUBJECTS))


def train(folder: Path, per_class: int, minutes: float) -> None:
    """Train for so many minutes; weights lie in `folder`/network.pt, written anew every five minutes.

    A run that was stopped goes on from there.
    """
    album = draw_album(folder / "train.npy", per_class)
    pictures = np.array(album).reshape(-1, 96, 96, 3)
    held_out = draw_album(folder / "held_out.npy", 10, seed=HELD_OUT_SEED)
    masks = write_signs(folder / "signs.npy")
    torch.manual_seed(1)
    random = np.random.default_rng(1)
    network = Network(len(SUBJECTS)).to(memory_format=torch.channels_last)
    signs_head = nn.Sequential(nn.BatchNorm1d(FEATURES, affine=False), nn.Linear(FEATURES, SIGNS))
    groups = [
        {"params": network.body.parameters(), "share": 1.0},
        {"params": [*network.head.parameters(), *signs_head.parameters()], "share": HEAD_SHARE},
    ]
    optimiser = torch.optim.SGD(groups, lr=TOP_RATE, momentum=0.9, nesterov=True, weight_decay=4e-5)
    started, saved, seen, loss_sum, steps = time.monotonic(), time.monotonic(), 0, 0.0, 0
    average = AveragedModel(network)
    history: list[dict[str, float]] = []
    order = random.permutation(len(pictures))
    if (folder / "network.pt").exists():
        network.load_state_dict(torch.load(folder / "network.pt", weights_only=True))
        signs_head.load_state_dict(torch.load(folder / "signs_head.pt", weights_only=True))
        history = json.loads((folder / "history.json").read_text(encoding="utf-8"))
        started, seen = started - history[-1]["share"] * 60 * minutes, int(history[-1]["seen"])
        random = np.random.default_rng([1, seen])
    while (share := (time.monotonic() - started) / (60 * minutes)) < 1:
        side = next(side for until, side in PLAN if share < until)
        fall = 0.5 + 0.5 * np.cos(np.pi * min(1.0, share / AVERAGED_FROM))
        rate = (LAST_RATE + (TOP_RATE - LAST_RATE) * fall) * min(1.0, share / 0.02 + 0.05)
        for group in optimiser.param_groups:
            group["lr"] = rate * group["share"]
        if len(order) < BATCH:
            order = random.permutation(len(pictures))
        chosen, order = order[:BATCH], order[BATCH:]
        optimiser.zero_grad()
        signs = random.integers(0, len(masks), SIGNS_IN_BATCH)
        shown = torch.cat([augmented(pictures[chosen], side, random), inked(masks[signs], side, random)])
        pooled = network.body(shown.contiguous(memory_format=torch.channels_last)).mean((2, 3))
        logits, answers = network.head(pooled[:BATCH]), torch.from_numpy(chosen % len(SUBJECTS))
        loss = functional.cross_entropy(logits, answers, label_smoothing=0.05)
        signs_loss = functional.cross_entropy(signs_head(pooled[BATCH:]), torch.from_numpy(signs % SIGNS))
        ((1 - SIGNS_WEIGHT) * loss + SIGNS_WEIGHT * signs_loss).backward()
        optimiser.step()
        if share > AVERAGED_FROM:
            average.update_parameters(network)
        seen, steps, loss_sum = seen + BATCH + SIGNS_IN_BATCH, steps + 1, loss_sum + float(loss.detach())
        if time.monotonic() - saved > 300:
            saved = time.monotonic()
            history.append(_noted(share, seen, side, loss_sum / steps, accuracy(network, held_out, side)))
            steps, loss_sum = 0, 0.0
            _save(network, signs_head, folder, history)
    settle(average, pictures, masks, random)
    history.append(_noted(1.0, seen, side, loss_sum / max(steps, 1), accuracy(average.module, held_out, side)))
    _save(average.module, signs_head, folder, history)


def settle(average: AveragedModel, pictures: np.ndarray, masks: np.ndarray, random: np.random.Generator) -> None:
    """Give averaged weights the normalisation statistics of their own activations."""
    shares = ((pictures, augmented, BATCH), (masks, inked, SIGNS_IN_BATCH))
    shown = (
        torch.cat([show(album[random.integers(0, len(album), count)], SIDE, random) for album, show, count in shares])
        for _ in range(300)
    )
    update_bn(shown, average)


def _noted(share: float, seen: int, side: int, loss: float, held_out: float) -> dict[str, float]:
    note = {
        "share": round(share, 3),
        "seen": seen,
        "side": side,
        "loss": round(loss, 3),
        "held_out": round(held_out, 4),
    }
    print(json.dumps(note), flush=True)
    return note


def _save(network: Network, signs_head: nn.Module, folder: Path, history: list[dict[str, float]]) -> None:
    torch.save(signs_head.state_dict(), folder / "signs_head.pt")
    torch.save(network.state_dict(), folder / "network.part")
    (folder / "network.part").rename(folder / "network.pt")
    (folder / "history.json").write_text(json.dumps(history, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--per-class", type=int, default=240)
    parser.add_argument("--minutes", type=float, default=70)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    train(options.folder, options.per_class, options.minutes)
