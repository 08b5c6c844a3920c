"""The page of a map: one HTML file with all that it shows, of bounded size whatever the number of pictures."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vision_recipes.map_settings import MapSettings
from vision_recipes.picture_map.atlases import Atlases, make_atlases
from vision_recipes.picture_map.cluster_names import NO_CLUSTER
from vision_recipes.picture_map.mapped_pictures import MappedPictures
from vision_recipes.picture_map.page_columns import PageColumn, category_column, packed, page_column
from vision_recipes.pictures import REASONS
from vision_recipes.reports.inline_scripts import inline_json, inline_script
from vision_recipes.reports.rendering import render
from vision_recipes.stores import Store

SCRIPTS = ("map_data.js", "map_drawing.js", "map_controls.js")
_MEGABYTE = 1_000_000
_FOR_COLUMNS = 0.45
_FOR_THE_REST = 150_000
_REJECTED = 100


def render_map_page(mapped: MappedPictures, pictures: Store | None, settings: MapSettings, workdir: Path) -> bytes:
    """Return the page as UTF-8; its thumbnails take what the points and the columns leave of `page_size`."""
    limit = settings.page_size * _MEGABYTE
    data, left_out = _data(mapped, int(_FOR_COLUMNS * limit))
    used = len(inline_json(data).encode("utf-8", "backslashreplace")) + _FOR_THE_REST
    atlases = Atlases()
    if pictures is not None and settings.nb_thumbnails:
        rows = _spread_out(mapped, settings.nb_thumbnails)
        atlases = make_atlases(pictures, mapped.source.paths, rows, max(0, (limit - used) * 3 // 4), workdir)
    data["thumbnails"] = {
        "side": atlases.side,
        "perRow": atlases.per_row,
        "rows": packed(atlases.rows.astype(np.uint32)),
        "sizes": packed(atlases.sizes),
    }
    script = inline_script(*SCRIPTS)
    return render(
        "map.html",
        {
            "title": f"Map of {mapped.source.name}",
            "mapped": mapped,
            "data": inline_json(data),
            "atlases": [base64.b64encode(content).decode() for content in atlases.files],
            "thumbnails": len(atlases.rows),
            "unreadable": _reasons(atlases.unreadable),
            "rejected": _reasons(Counter(reason for _, reason in mapped.source.rejected)),
            "rejected_paths": [path for path, _ in mapped.source.rejected[:_REJECTED]],
            "left_out": left_out,
            "script": script.text,
            "script_source": script.source,
        },
    )


def _data(mapped: MappedPictures, limit: int) -> tuple[dict[str, Any], Sequence[str]]:
    """Return what the page draws, and the names of columns that do not fit into `limit` bytes."""
    names = [mapped.names[cluster] if cluster >= 0 else NO_CLUSTER for cluster in mapped.clusters]
    paths = list(mapped.source.paths)
    columns: list[PageColumn] = [category_column("cluster_name", names)] if mapped.names else []
    left_out, used = [], sum(len(path.encode("utf-8", "backslashreplace")) + 3 for path in paths)
    for column in mapped.columns:
        packed_column = page_column(column)
        size = len(inline_json(packed_column).encode("utf-8", "backslashreplace"))
        if used + size > limit:
            left_out.append(column.name)
            continue
        columns.append(packed_column)
        used += size
    data = {
        "title": mapped.source.name,
        "x": packed(_whole(mapped.positions[:, 0])),
        "y": packed(_whole(mapped.positions[:, 1])),
        "paths": paths,
        "columns": columns,
        "clusters": list(mapped.names),
        "cluster": packed((mapped.clusters + 1).astype(np.uint16)),
        "representatives": mapped.representatives.tolist(),
    }
    return data, left_out


def _whole(coordinates: np.ndarray) -> np.ndarray:
    """Return coordinates from -1 to 1 as uint16."""
    return np.rint((np.clip(coordinates, -1, 1) + 1) / 2 * 65535).astype(np.uint16)


def _spread_out(mapped: MappedPictures, most: int) -> np.ndarray:
    """Return the rows of at most so many pictures: those that stand for a cluster, then others all over the plane.

    Along a Z-order curve, every so many-th picture is taken, so that each part of the plane has its share.
    """
    count = len(mapped.positions)
    if count <= most:
        return np.arange(count)
    first = mapped.representatives[:most]
    code = np.zeros(count, np.uint64)
    for axis in (0, 1):
        place = (_whole(mapped.positions[:, axis])).astype(np.uint64)
        for bit in range(16):
            code |= ((place >> np.uint64(bit)) & np.uint64(1)) << np.uint64(2 * bit + axis)
    others = np.argsort(code, kind="stable")
    others = others[~np.isin(others, first)]
    chosen = others[np.linspace(0, len(others) - 1, most - len(first)).astype(np.int64)]
    return np.sort(np.concatenate([first, chosen]))


def _reasons(counts: Counter[str]) -> list[tuple[str, str, int]]:
    return [(reason, REASONS.get(reason, ""), count) for reason, count in counts.most_common()]
