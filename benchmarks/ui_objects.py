"""Large folders and datasets for `benchmarks.ui`: what their pages cost, and the memory that they take."""

from __future__ import annotations

import re
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PICTURES, FOLDERS, ROWS = 100_000, 1_000, 10_000_000
PICTURE = b"\xff\xd8\xff" + b"x" * 1000


def measured(rounds: int) -> Iterator[tuple[str, list[float]]]:
    """What each page takes, then a hundred pages of pictures with the memory that they add."""
    from minihost.ui.app import make_app
    from minihost.ui.workspace import Workspace

    with tempfile.TemporaryDirectory(prefix="ui-bench-") as name:
        folder = Path(name)
        write(folder)
        client = make_app(Workspace(folder)).test_client()
        for ref in ("flat", "deep"):
            for what, address in (("first screen", f"/folder?ref={ref}"), ("by name", f"/folder?ref={ref}&name=99999")):
                yield f"{PICTURES:,} pictures, {ref}: {what}", [seconds(client, address) for _ in range(rounds)]
        for ref in ("csv", "parquet"):
            yield f"{ROWS:,} rows, {ref}: first rows", [seconds(client, f"/dataset?ref={ref}") for _ in range(rounds)]
        before, address, pages = peak(), "/folder/pictures?ref=flat&dataset=-", []
        for _ in range(100):
            pages.append(seconds(client, address))
            found = re.search(r'data-more="([^"]+)"', client.get(address).text)
            assert found is not None
            address = found[1].replace("&amp;", "&")
        yield f"100 pages of pictures (+{peak() - before} MB)", pages


def seconds(client: Any, address: str) -> float:
    """What one page takes."""
    start = time.perf_counter()
    assert client.get(address).status_code == 200
    return time.perf_counter() - start


def peak() -> int:
    """The most memory that this process had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def write(folder: Path) -> None:
    """Write folders of one small picture many times, labels for one of them, and two long tables."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    (folder / "flat").mkdir()
    for number in range(PICTURES):
        (folder / "flat" / f"{number:06d}.jpg").write_bytes(PICTURE)
    for number in range(FOLDERS):
        place = folder / "deep" / f"class_{number:04d}"
        place.mkdir(parents=True)
        for inner in range(PICTURES // FOLDERS):
            (place / f"{inner:03d}.jpg").write_bytes(PICTURE)
    with (folder / "labels.csv").open("w") as stream:
        stream.write("images,label,probability\n")
        stream.writelines(f"/{number:06d}.jpg,{'egg' if number % 3 else 'ball'},0.5\n" for number in range(PICTURES))
    with (folder / "long.csv").open("w") as stream:
        stream.write("id,text,x\n")
        stream.writelines(f'{number},"row {number}, {"text " * 30}",{number / 7}\n' for number in range(ROWS))
    part = pa.table({"id": range(ROWS // 10), "text": [f"row {number}" for number in range(ROWS // 10)]})
    with pq.ParquetWriter(folder / "long.parquet", part.schema) as writer:
        for _ in range(10):
            writer.write_table(part)
    declared = (
        "folders: {flat: flat, deep: deep}\ndatasets: {labels: labels.csv, csv: long.csv, parquet: long.parquet}\n"
    )
    (folder / "flow.yaml").write_text(declared)
