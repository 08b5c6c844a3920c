"""What DSS brings itself: the core packages of every code environment, and those of its built-in environment."""

from __future__ import annotations

import re

REQUIREMENTS = "code-env/python/spec/requirements.txt"
"""The file of a plugin that says what its environment holds."""

SHARED = "DSS base"
"""The name of the environment that stands in for DSS's built-in one; no plugin has an id with a blank."""

NEWEST_NUMPY = "numpy<2.5"
PANDAS = "pandas>=2.2,<3"
OTHERS = ("pyarrow", "openpyxl", "requests", "flask")

BUILT_IN = ("scipy", "scikit-learn", "matplotlib", "jinja2", "python-dateutil")
"""What the built-in environment of DSS has beside the core packages, as far as plugins without requirements use it.

https://doc.dataiku.com/dss/latest/code-envs/operations-python.html names what visual machine learning needs: SciPy,
scikit-learn, Jinja2 and XGBoost, which is left out for its size. Of 20 public plugins without requirements nine import
requests, four Flask and four scikit-learn.
"""

FOR_TABLES = ("SQLAlchemy>=2.0.36", "psycopg[binary]>=3.2")
"""What opens datasets that are SQL tables, in the environment of plugins that do not care for it."""

MODULES_OF_BASE = {"sklearn", "scipy", "matplotlib", "jinja2", "dateutil", "requests", "flask", "openpyxl", "pyarrow"}
"""The modules that a plugin without requirements may count on."""

FIRST_PANDAS = {(3, 11): (1, 5), (3, 12): (2, 1), (3, 13): (2, 2), (3, 14): (2, 3)}
"""Python -> the first pandas that was published for it as a wheel."""

FIRST_PYTHON_OF_PANDAS_2 = (3, 8)


def core_packages(
    chosen: object, python: tuple[int, int], accepted: tuple[tuple[int, int], ...] = ()
) -> tuple[tuple[str, ...], str]:
    """Return the requirements of a `corePackagesSet` on a Python, and a remark where they are not those of that set.

    DSS's sets are AUTO, PANDAS10, PANDAS11 … PANDAS23 and LEGACY_PANDAS023; AUTO, here and where the descriptor says
    nothing, is pandas 2, or pandas 1 where all Pythons that the plugin accepts are older than the first of pandas 2.
    What was never published for this Python is replaced by the nearest that was.
    """
    found = re.fullmatch(r"(?:LEGACY_)?PANDAS(\d)(\d+)", str(chosen))
    if not found:
        if accepted and max(accepted) < FIRST_PYTHON_OF_PANDAS_2:
            return _nearest(python, "What this plugin was written for is pandas 1")
        remark = "" if chosen in (None, "", "AUTO") else f"corePackagesSet {chosen!r} is not known"
        return _packages(PANDAS, NEWEST_NUMPY), remark and f"{remark}: {PANDAS} is installed."
    major, minor = int(found[1]), int(found[2])
    newest = max(FIRST_PANDAS)
    if (major, minor) < FIRST_PANDAS.get(python, FIRST_PANDAS[newest] if python > newest else (0, 0)):
        never = f"which was never published for Python {python[0]}.{python[1]}"
        return _nearest(python, f"corePackagesSet {chosen} means pandas {major}.{minor}, {never}")
    return _series(major, minor), ""


def _nearest(python: tuple[int, int], why: str) -> tuple[tuple[str, ...], str]:
    """What stands in for an older pandas: the last of pandas 1 where this Python has it, else pandas 2; and why."""
    first = FIRST_PANDAS.get(python)
    packages = _series(*first) if first and first[0] == 1 else _packages(PANDAS, NEWEST_NUMPY)
    return packages, f"{why}: {packages[0]} is installed."


def _series(major: int, minor: int) -> tuple[str, ...]:
    numpy = NEWEST_NUMPY if (major, minor) >= (2, 2) else "numpy<2"
    return _packages(f"pandas>={major}.{minor},<{major}.{minor + 1}", numpy)


def _packages(pandas: str, numpy: str) -> tuple[str, ...]:
    return (pandas, numpy, *OTHERS)
