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

MODULES_OF_BASE = {"sklearn", "scipy", "matplotlib", "jinja2", "dateutil", "requests", "flask", "openpyxl", "pyarrow"}
"""The modules that a plugin without requirements may count on."""

FIRST_PANDAS = {(3, 11): (1, 5), (3, 12): (2, 1), (3, 13): (2, 2), (3, 14): (2, 3)}
"""Python -> the first pandas that was published for it as a wheel."""


def core_packages(chosen: object, python: tuple[int, int]) -> tuple[tuple[str, ...], str]:
    """Return the requirements of a `corePackagesSet` on a Python, and a remark where they are not those of that set.

    DSS's sets are AUTO, PANDAS10, PANDAS11 … PANDAS23 and LEGACY_PANDAS023; AUTO, here and where the descriptor says
    nothing, is pandas 2.
    """
    found = re.fullmatch(r"(?:LEGACY_)?PANDAS(\d)(\d+)", str(chosen))
    if not found:
        remark = "" if chosen in (None, "", "AUTO") else f"corePackagesSet {chosen!r} is not known"
        return _packages(PANDAS, NEWEST_NUMPY), remark and f"{remark}: {PANDAS} is installed."
    major, minor = int(found[1]), int(found[2])
    newest = max(FIRST_PANDAS)
    if (major, minor) < FIRST_PANDAS.get(python, FIRST_PANDAS[newest] if python > newest else (0, 0)):
        return _packages(PANDAS, NEWEST_NUMPY), (
            f"corePackagesSet {chosen} means pandas {major}.{minor}, which was never published for Python "
            f"{python[0]}.{python[1]}: {PANDAS} is installed."
        )
    numpy = NEWEST_NUMPY if (major, minor) >= (2, 2) else "numpy<2"
    return _packages(f"pandas>={major}.{minor},<{major}.{minor + 1}", numpy), ""


def _packages(pandas: str, numpy: str) -> tuple[str, ...]:
    return (pandas, numpy, *OTHERS)
