"""Large datasets stream through a recipe: memory does not grow with their size."""

import pytest
from component_plugins import role, write_components

STREAM = """
import resource
import dataiku
source, target = dataiku.Dataset("rows"), dataiku.Dataset("out")
with target.get_writer() as writer:
    for chunk in source.iter_dataframes(chunksize=10000):
        if not target.read_schema(raise_if_empty=False):
            target.write_schema_from_dataframe(chunk)
        writer.write_dataframe(chunk)
print("PEAK", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_memory_is_constant(tmp_path, minihost_project, kind):
    plugin = write_components(
        tmp_path / "plugin", {"do": ({"inputRoles": [role("in")], "outputRoles": [role("out")]}, STREAM)}
    )
    peaks = []
    for count in (30_000, 300_000):
        project = minihost_project(plugin=plugin)
        rows = ({"id": number, "text": f"row {number}", "x": number / 7} for number in range(count))
        path = project.root / f"rows.{kind}"
        from minihost.datasets import table

        columns = [
            {"name": name, "type": type_} for name, type_ in (("id", "bigint"), ("text", "string"), ("x", "double"))
        ]
        with table(path).writer(columns) as writer:
            writer.write([row["id"], row["text"], row["x"]] for row in rows)
        project.project.flow.datasets["rows"] = {"path": str(path)}
        project.project.flow.datasets["out"] = {"path": str(project.root / f"out.{kind}")}
        done = project.run("do", inputs={"in": "rows"}, outputs={"out": "out"})
        assert sum(1 for _row in project.table("out").text_rows()) == count
        peaks.append(int(done.log.split("PEAK")[1]))
    assert peaks[1] - peaks[0] < 25_000, peaks
