"""Constraints that make packages importable again which newer releases of others broke, chosen by the error's text."""

from __future__ import annotations

import re
from dataclasses import dataclass

NUMPY_1 = re.compile(
    r"compiled using NumPy 1\.x|_ARRAY_API not found|numpy\.core\.(multiarray|umath) failed to import|"
    r"was removed in the NumPy 2\.0 release|numpy\.(dtype|ndarray|ufunc) size changed|"
    r"module compiled against (ABI|API) version 0x"
)
"""What modules say that were compiled, or written, for NumPy 1."""


@dataclass(frozen=True)
class Repair:
    """A requirement to add, the evidence for it in an error's text, and the reason in words."""

    requirement: str
    evidence: re.Pattern[str]
    reason: str


def _lacks(module: str, *names: str) -> str:
    """The evidence that names are no longer in a module, however they are asked for."""
    one = "|".join(names)
    return rf"cannot import name '({one})' from '{module}'|module '{module}' has no attribute '({one})'"


NUMPY_0 = ("int", "float", "bool", "object", "str", "complex", "long", "unicode", "typeDict")
FLASK_2 = ("_request_ctx_stack", "_app_ctx_stack", "escape", "Markup")
JINJA_3 = ("escape", "Markup", "contextfunction", "contextfilter", "evalcontextfunction", "environmentfilter")
TOKENS = ("json", "JSONWebSignatureSerializer", "TimedJSONWebSignatureSerializer")
WERKZEUG_2 = ("BaseResponse", "BaseRequest", "cached_property", "secure_filename")

REPAIRS = tuple(
    Repair(requirement, re.compile(evidence), reason)
    for requirement, evidence, reason in (
        ("numpy<2", NUMPY_1.pattern, "was made for NumPy 1"),
        ("numpy<1.24", _lacks("numpy", *NUMPY_0), "uses names that NumPy 1.24 removed"),
        ("numpy<2", _lacks(r"numpy(?:\.\w+)*", r"\w+") + r"|module named 'numpy\.", "uses names that NumPy 2 removed"),
        ("pandas<2", _lacks(r"pandas(?:\.\w+)*", r"\w*Int64Index", "Float64Index", "Panel"), "was made for pandas 1"),
        ("pandas<2", r"No module named 'pandas\.(util\.testing|core\.index)'", "was made for pandas 1"),
        ("pandas<3", _lacks(r"pandas(?:\.\w+)*", r"\w+") + r"|module named 'pandas\.", "was made for pandas 2"),
        ("setuptools<81", r"No module named '(pkg_resources|distutils)|DistributionNotFound", "needs pkg_resources"),
        ("pyarrow<26", r"pyarrow requires NumPy 2", "was made for NumPy 2"),
        ("protobuf<3.21", r"Descriptors cannot (not )?be created directly", "was made for protobuf 3.20"),
        ("scipy<1.13", _lacks(r"scipy\.linalg(?:\.\w+)*", "triu", "tril", "kron"), "was made for SciPy 1.12"),
        ("scipy<1.13", _lacks(r"scipy\.signal", "hann", "gaussian", "hamming"), "was made for SciPy 1.12"),
        ("scipy<1.14", _lacks(r"scipy\.integrate", "cumtrapz", "trapz", "simps"), "was made for SciPy 1.13"),
        ("scipy<1.16", _lacks(r"scipy\._lib\._util", "_lazywhere"), "was made for SciPy 1.15"),
        ("jinja2<3.1", _lacks("jinja2", *JINJA_3), "was made for Jinja2 3.0"),
        ("markupsafe<2.1", _lacks("markupsafe", "soft_unicode"), "was made for MarkupSafe 2.0"),
        ("itsdangerous<2.1", _lacks("itsdangerous", *TOKENS), "was made for ItsDangerous 2.0"),
        ("werkzeug<2.1", _lacks(r"werkzeug(?:\.wrappers)?", *WERKZEUG_2), "was made for Werkzeug 2.0"),
        ("werkzeug<3", _lacks(r"werkzeug(?:\.urls)?", r"\w+"), "was made for Werkzeug 2"),
        ("flask<2.3", _lacks("flask", *FLASK_2), "was made for Flask 2.2"),
        ("urllib3<2", _lacks(r"urllib3\.(?:util\.ssl_|contrib)", r"\w+"), "was made for urllib3 1"),
        ("urllib3<2", r"No module named 'urllib3\.packages\.six", "was made for urllib3 1"),
        ("matplotlib<3.8", _lacks("matplotlib", "docstring"), "was made for Matplotlib 3.7"),
        ("huggingface-hub<0.26", _lacks("huggingface_hub", "cached_download"), "was made for huggingface-hub 0.25"),
        ("sqlalchemy<2", _lacks(r"sqlalchemy(?:\.\w+)*", r"\w+"), "was made for SQLAlchemy 1"),
        ("typer<0.8", r"No module named 'click\.shell_completion'", "needs Click 8 by way of Typer"),
        ("cython<3", r"No module named 'Cython\.", "was made for Cython 0"),
    )
)
"""In the order in which they are tried."""

BUILD_REPAIRS = (
    Repair("setuptools<81", re.compile(r"No module named 'pkg_resources'"), "needs pkg_resources to be built"),
    Repair("setuptools<58", re.compile(r"use_2to3 is invalid"), "needs 2to3 to be built"),
    Repair("cython<3", re.compile(r"Cython\.Compiler\.Errors\.CompileError"), "needs Cython 0 to be built"),
)
"""Constraints on what packages are built with."""


def candidates(text: str) -> list[Repair]:
    """Return the repairs that an error's text speaks for, in the order in which to try them."""
    return [repair for repair in REPAIRS if repair.evidence.search(text)]
