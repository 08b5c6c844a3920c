"""Slices of a folder by a hash of the path, so that several machines share it without a word between them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from vision_recipes.settings import ShardSettings


@dataclass(frozen=True)
class Shard:
    """Slice `number`, from 1, of `count`: the paths whose CRC-32 leaves number - 1 when it is divided by count.

    A path's slice depends on nothing but the path, so files that come or go move no other file to another slice.
    """

    number: int = 1
    count: int = 1

    def of(self, paths: Iterable[str]) -> list[str]:
        """Return the paths of the slice, in the order given."""
        if self.count == 1:
            return list(paths)
        return [path for path in paths if crc32(path) % self.count == self.number - 1]


WHOLE = Shard()
"""The whole folder."""


def crc32(path: str) -> int:
    """Return the CRC-32 of a path as the folder lists it, also of one whose bytes are not UTF-8."""
    return zlib.crc32(path.encode("utf-8", "surrogatepass"))


def shard_of(settings: ShardSettings) -> Shard:
    """Return the slice that settings ask for."""
    return Shard(settings.shard, settings.shards)
