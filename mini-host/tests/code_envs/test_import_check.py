"""Which modules are imported, and which constraint the text of an error speaks for."""

from pathlib import PurePosixPath

import pytest

from minihost.plugins.code_envs.installed_modules import modules_of
from minihost.plugins.code_envs.repairs import candidates


@pytest.mark.parametrize(
    ("name", "files", "modules"),
    [
        ("faiss-cpu", ["faiss/__init__.py", "faiss/swig.py", "faiss/_x.cpython-311-x86_64-linux-gnu.so"], ["faiss"]),
        ("six", ["six.py", "six-1.dist-info/METADATA"], ["six"]),
        ("google-auth", ["google/auth/__init__.py", "google/auth/jwt.py", "google/oauth2/__init__.py"], ["google.auth"]),
        ("setuptools", ["setuptools/__init__.py", "pkg_resources/__init__.py", "_distutils_hack/__init__.py"], ["setuptools"]),
        ("Brotli", ["_brotli.cpython-311-x86_64-linux-gnu.so", "brotli.py"], ["brotli"]),
        ("x", ["tests/__init__.py", "setup.py", "y/__init__.py"], ["y"]),
        ("native", ["native/__init__.cpython-311-x86_64-linux-gnu.so"], ["native"]),
        ("pandas-stubs", ["pandas-stubs/__init__.pyi", "pandas-stubs/core/__init__.pyi"], []),
        ("data", ["../../../share/data.txt", "data-1.dist-info/RECORD", "../../../bin/tool.py"], []),
    ],
)  # fmt: skip
def test_modules_of_a_distribution(name, files, modules):
    assert modules_of(name, map(PurePosixPath, files)) == modules


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("A module that was compiled using NumPy 1.x cannot be run in\nNumPy 2.4.6 as it may crash.", "numpy<2"),
        ("AttributeError: _ARRAY_API not found", "numpy<2"),
        ("ImportError: numpy.core.multiarray failed to import", "numpy<2"),
        ("AttributeError: `np.float_` was removed in the NumPy 2.0 release. Use `np.float64` instead.", "numpy<2"),
        ("ValueError: numpy.dtype size changed, may indicate binary incompatibility.", "numpy<2"),
        ("AttributeError: module 'numpy' has no attribute 'int'.", "numpy<1.24"),
        ("AttributeError: module 'numpy' has no attribute 'product'", "numpy<2"),
        ("ImportError: cannot import name 'in1d' from 'numpy' (/x/numpy/__init__.py)", "numpy<2"),
        ("ImportError: cannot import name 'Int64Index' from 'pandas' (/x/pandas/__init__.py)", "pandas<2"),
        ("AttributeError: module 'pandas' has no attribute 'Panel'", "pandas<2"),
        ("ModuleNotFoundError: No module named 'pkg_resources'", "setuptools<81"),
        ("TypeError: Descriptors cannot be created directly.", "protobuf<3.21"),
        ("ImportError: pyarrow requires NumPy 2.0 or newer, found 1.26.4", "pyarrow<26"),
        ("ImportError: cannot import name 'triu' from 'scipy.linalg' (/x)", "scipy<1.13"),
        ("ImportError: cannot import name 'escape' from 'jinja2' (/x)", "jinja2<3.1"),
        ("ImportError: cannot import name 'soft_unicode' from 'markupsafe' (/x)", "markupsafe<2.1"),
        ("ImportError: cannot import name 'json' from 'itsdangerous' (/x)", "itsdangerous<2.1"),
        ("ImportError: cannot import name 'BaseResponse' from 'werkzeug.wrappers' (/x)", "werkzeug<2.1"),
        ("ImportError: cannot import name 'url_quote' from 'werkzeug.urls' (/x)", "werkzeug<3"),
        ("ModuleNotFoundError: No module named 'urllib3.packages.six.moves'", "urllib3<2"),
        ("ModuleNotFoundError: No module named 'tensorflow.contrib'", None),
        ("ImportError: cannot import name 'Mapping' from 'collections' (/x)", None),
    ],
)
def test_errors_speak_for_constraints(text, first):
    found = candidates(text)
    assert (found[0].requirement if found else None) == first
