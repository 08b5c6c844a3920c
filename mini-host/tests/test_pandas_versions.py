"""Components run on the host's own pandas: 2, as in DSS, or what `make test-pandas3` puts first on the module path."""

import os

import pandas
from one_recipe import run

TWO_PROCESSES = """
import subprocess, sys
import dataiku, pandas
dataiku.Dataset("done").write_with_schema(dataiku.Dataset("rows").get_dataframe())
print("PANDAS", pandas.__version__, flush=True)
subprocess.run([sys.executable, "-c", "import pandas; print('PANDAS', pandas.__version__)"], check=True)
"""


def test_the_host_has_the_pandas_that_is_expected():
    assert pandas.__version__.partition(".")[0] == os.environ.get("EXPECTED_PANDAS", "2")


def test_components_and_what_they_start_run_on_the_pandas_of_the_host(project):
    log = run(project(TWO_PROCESSES)).log
    assert log.count(f"PANDAS {pandas.__version__}") == 2
