"""What the mini-host itself costs: one small recipe beside `import pandas`, a long list, a dataset of a million rows.

python -m benchmarks.host [--rounds 5] [--rows 1000000]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.processes import alternate, median

COPY = """
import dataiku
from dataiku.customrecipe import *
source = dataiku.Dataset(get_input_names_for_role("rows")[0])
target = dataiku.Dataset(get_output_names_for_role("copy")[0])
"""
WHOLE = COPY + "target.write_with_schema(source.get_dataframe())\n"
CHUNKS = (
    COPY
    + """
import resource
with target.get_writer() as writer:
    for number, chunk in enumerate(source.iter_dataframes(chunksize=10000)):
        if number == 0:
            target.write_schema_from_dataframe(chunk)
        writer.write_dataframe(chunk)
        if number == 1:
            early = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
late = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print("PEAK %d MB, of which %d after the first two chunks" % (late // 1024, (late - early) // 1024))
"""
)
PLUGINS = 100


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.host", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each command runs (5)")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the long dataset (1000000)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="host-bench-") as name:
        folder = Path(name)
        os.environ["MINIHOST_HOME"] = str(folder / "home")
        for number in range(PLUGINS):
            write_plugin(folder / "home" / "plugins" / f"plugin-{number}", f"plugin-{number}")
        plugin = write_plugin(folder / "plugin", "copies")
        (folder / "one.csv").write_text("a,b\n1,x\n", encoding="utf-8")
        host = [sys.executable, "-m", "minihost"]
        run = [*host, "run", "--plugin", str(plugin), "--project", str(folder)]
        commands = {
            "import pandas": [sys.executable, "-c", "import pandas"],
            "copy one row": [*run, "copies/whole", "-q", "-i", "rows=one.csv", "-o", "copy=out.csv"],
            "list 100 plugins": [*host, "list", "--project", str(folder)],
        }
        found = alternate(commands, given.rounds, lambda line: None)
        seconds = {name: median(one.seconds for one in rounds) for name, rounds in found.items()}
        cpu = {name: median(one.cpu for one in rounds) for name, rounds in found.items()}
        for name in commands:
            print(f"{name}: {seconds[name]:.2f} s, processor {cpu[name]:.2f} s")
        more = seconds["copy one row"] - seconds["import pandas"]
        print(f"a recipe that copies one row costs {more:.2f} s more than import pandas (at most 0.6)")
        print(f"minihost list over {PLUGINS} plugins: {seconds['list 100 plugins']:.2f} s (under 1)")
        with (folder / "long.csv").open("w", encoding="utf-8") as stream:
            stream.write("id,text,x\n")
            stream.writelines(f"{number},row {number},{number / 7}\n" for number in range(given.rows))
        chunks = [*run, "copies/chunks", "-i", "rows=long.csv", "-o", "copy=out.csv"]
        timed = alternate({"chunks": chunks}, 1, lambda line: None)["chunks"][0]
        log = max((folder / ".minihost" / "jobs").glob("*-chunks-*"), key=os.path.getmtime) / "log"
        print(f"{given.rows:,} rows in chunks: {timed.seconds:.1f} s; {log.read_text(encoding='utf-8').strip()}")


def write_plugin(root: Path, name: str, recipes: dict[str, str] | None = None) -> Path:
    """Write a plugin whose recipes, name -> code, take `rows` and make `copy`; return its folder."""
    roles = {
        "inputRoles": [{"name": "rows", "arity": "UNARY", "required": True, "acceptsDataset": True}],
        "outputRoles": [{"name": "copy", "arity": "UNARY", "required": True, "acceptsDataset": True}],
    }
    files = {"plugin.json": {"id": name, "version": "1.0.0", "meta": {"label": name}}}
    for recipe, code in (recipes or {"whole": WHOLE, "chunks": CHUNKS}).items():
        folder = f"custom-recipes/{recipe}"
        files[f"{folder}/recipe.json"] = {"kind": "PYTHON", "meta": {"label": recipe}, **roles}
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / "recipe.py").write_text(code, encoding="utf-8")
    for path, facts in files.items():
        (root / path).write_text(json.dumps(facts), encoding="utf-8")
    return root


if __name__ == "__main__":
    main()
