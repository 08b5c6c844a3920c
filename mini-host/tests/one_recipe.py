"""A plugin of one recipe `do`, which the tests of running give code to, and ways to run it."""

from pathlib import Path

from component_plugins import role

IN, OUT = [role("in")], [role("out")]
COPY = """
import dataiku
from dataiku.customrecipe import *
source, target = dataiku.Dataset(get_input_names_for_role("in")[0]), dataiku.Dataset(get_output_names_for_role("out")[0])
target.write_schema(source.read_schema())
with target.get_writer() as writer:
    for row in source.iter_tuples():
        writer.write_tuple(row)
"""
COPY_FRAME = """
import dataiku
dataiku.Dataset("done").write_with_schema(dataiku.Dataset("rows").get_dataframe())
"""
PRINT = "print('said', flush=True)\n"
ROWS = [{"a": 1}]


def run(made, **more):
    """Run the recipe `do` of the fixture `project`, from dataset `rows` to dataset `done`."""
    return made.run("do", inputs={"in": "rows"}, outputs={"out": "done"}, **more)


def is_alive(pid):
    """Whether a process runs; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
