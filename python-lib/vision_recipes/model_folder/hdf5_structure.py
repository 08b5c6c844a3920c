"""The structure of an HDF5 file, checked before a number of it is read: nothing from elsewhere, nothing endless."""

from __future__ import annotations

import zlib
from math import prod
from typing import Any

from vision_recipes.errors import ModelFolderError

MAX_ITEMS = 12_000
"""Entries: the largest networks of the catalogue, saved with their optimizer, have half of them."""
MAX_DEPTH = 32
MAX_RATIO = 20
"""Times the file's size that its arrays may take; weights of ordinary networks can hardly be compressed."""
SMALL = 1 << 20
MAX_CHUNKS = 100_000
"""Pieces that an array may be stored in."""
DEFLATE_RATIO = 1032
"""Times its size that gzip can unpack a piece to."""
HARMLESS = 1 << 26
CHECKSUM = 4
FILTERS = {2: "shuffle", 1: "gzip", 32000: "lzf", 3: "fletcher32"}
"""The ways of packing that are read, in the order in which h5py applies them."""


class StoredWeightsError(ModelFolderError):
    """What is wrong with a file of weights, without the next step, which `open_hdf5` adds: it depends on the use."""


def check_structure(file: Any, size: int, where: str) -> None:
    """Raise StoredWeightsError unless an opened file of `size` bytes is a plain tree of arrays of plausible size.

    Every object is looked at once, so a file whose groups contain each other ends at once.
    """
    import h5py

    limit, total, count = MAX_RATIO * max(size, SMALL), 0, file.id.get_num_objs()
    seen = {h5py.h5o.get_info(file.id).addr}
    waiting = [(file.id, 1)]
    _require_few(count, 1, where)
    while waiting:
        group, depth = waiting.pop()
        for name in group:
            entry = f"{where}: entry {name.decode('utf-8', 'replace')[:80]!r}"
            if group.links.get_info(name).type != h5py.h5l.TYPE_HARD:
                raise StoredWeightsError(f"{entry} is a link, which is refused.")
            address = h5py.h5o.get_info(group, name).addr
            if address in seen:
                raise StoredWeightsError(f"{entry} is the same object as another entry, which is refused.")
            seen.add(address)
            item = h5py.h5o.open(group, name)
            if isinstance(item, h5py.h5g.GroupID):
                count += item.get_num_objs()
                _require_few(count, depth + 1, where)
                waiting.append((item, depth + 1))
            else:
                total += _stored_bytes(item, entry)
            if total > limit:
                raise StoredWeightsError(
                    f"{entry} brings the arrays to {total:,} bytes in a file of {size:,} bytes: more than {MAX_RATIO} "
                    "times as much, so these are no weights."
                )


def _require_few(count: int, depth: int, where: str) -> None:
    if count > MAX_ITEMS or depth > MAX_DEPTH:
        found = f"groups {depth} levels deep" if depth > MAX_DEPTH else f"more than {MAX_ITEMS} entries"
        raise StoredWeightsError(f"{where} has {found}: these are no weights.")


def _stored_bytes(item: Any, entry: str) -> int:
    """Return the bytes that an array takes in memory; only arrays whose data lie in the file itself are accepted."""
    import h5py

    if not isinstance(item, h5py.h5d.DatasetID):
        raise StoredWeightsError(f"{entry} is no array, which is refused.")
    created = item.get_create_plist()
    if created.get_layout() == h5py.h5d.VIRTUAL or created.get_external_count():
        raise StoredWeightsError(f"{entry} has its data in other files, which is refused.")
    filters = [created.get_filter(number)[0] for number in range(created.get_nfilters())]
    if filters != [code for code in FILTERS if code in filters]:
        names = ", ".join(FILTERS.get(code, f"filter {code}") for code in filters)
        raise StoredWeightsError(f"{entry} is packed with {names}, where {', '.join(FILTERS.values())} are read.")
    if created.get_layout() == h5py.h5d.CHUNKED:
        chunks = prod(-(-side // part) for side, part in zip(item.shape, created.get_chunk(), strict=True))
        if chunks > MAX_CHUNKS:
            raise StoredWeightsError(f"{entry} is stored in {chunks:,} pieces, more than {MAX_CHUNKS:,}.")
    return prod(item.shape) * item.get_type().get_size()


def check_packed(item: Any, where: str) -> None:
    """Raise StoredWeightsError when a piece of an array unpacks to more than its size, which HDF5 does not notice."""
    if getattr(item, "compression", None) != "gzip":
        return
    pieces: list[Any] = []
    size, place = prod(item.chunks) * item.dtype.itemsize, int(item.shuffle)
    item.id.chunk_iter(pieces.append)
    for piece in pieces:
        packed = not piece.filter_mask >> place & 1
        if packed and piece.size * DEFLATE_RATIO > max(size, HARMLESS):
            unpacking = zlib.decompressobj()
            try:
                unpacking.decompress(item.id.read_direct_chunk(piece.chunk_offset)[1], size + CHECKSUM)
            except zlib.error as err:
                raise StoredWeightsError(f"{where} cannot be unpacked: {err}.") from err
            if unpacking.unconsumed_tail:
                raise StoredWeightsError(f"{where} has a piece that unpacks to more than its {size:,} bytes.")
