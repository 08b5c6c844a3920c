"""The texts that a Python function endpoint of DSS is made of: its code, its requirements, and what to do with them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

MODULE = "vision_recipes.serving.python_function"
"""What the code of an endpoint imports."""

CODE, CODE_ZIP, MODEL = "endpoint.py", "vision_recipes.zip", "model"

REQUIREMENTS = "openvino>=2025.2,<2026\nnumpy>=1.26\npillow>=12.3\n"
"""The code environment; later releases of OpenVINO make it larger than 300 MB."""

_CODE = '''"""Answers queries with the model "{name}", as the recipe vision-classify does for files.

For the tab Code of a Python function endpoint of DSS, with the folder that this file lies in as its first managed
folder; README.txt says how. A query is {{"input": "<the bytes of a picture file in base64>"{columns}}}.
"""

import hashlib
import io
import os
import sys
import tempfile
import zipfile

CODE_SHA256 = "{digest}"
MODEL = "{folder_hash}"
SETTINGS = {settings}

with open(os.path.join(folders[0], "{code_zip}"), "rb") as stream:  # noqa: F821 - DSS provides folders
    code = stream.read()
if hashlib.sha256(code).hexdigest() != CODE_SHA256:
    raise RuntimeError("{code_zip} is not the one that this code was made with. Run vision-api-endpoint again.")
own_folder = tempfile.TemporaryDirectory(prefix="vision-endpoint-")  # what is imported, nobody else can change
zipfile.ZipFile(io.BytesIO(code)).extractall(own_folder.name)
sys.path.insert(0, own_folder.name)

from {module} import PythonFunction  # noqa: E402

function = PythonFunction(os.path.join(folders[0], "{model}"), MODEL, SETTINGS)  # noqa: F821


def api_py_function(input=None, **others):
    return function.answer({{"input": input, **others}} if input is not None else others)
'''

_STEPS = """{name} for the API node of DSS

1. Code environment: create one with Python 3.11, 3.12 or 3.13 (Administration > Code envs), put the lines of
   requirements.txt into its packages to install, and build it. For HEIC photos, add pillow-heif.
2. Endpoint: in the API Designer of the project, make a service, and in it an endpoint of the type Python function.
3. Code and settings: paste endpoint.py into the tab Code. In the settings, enter api_py_function as the function and
   choose the code environment; under the managed folders, choose the folder that this file lies in, as the first one.
4. Test: add the objects in test_queries.json as test queries, deploy to the dev server, and run them. The first one
   must give the label {label!r}.
5. Push the service to the API Deployer, or download the package, and deploy it to an API node. A picture is then asked
   about like this:

   curl -X POST https://APINODE/public/api/v1/SERVICE/ENDPOINT/run -H "Content-Type: application/json" \\
        -d "{{\\"input\\": \\"$(base64 < photo.jpg | tr -d '\\n')\\"}}"

The answer has the columns of vision-classify: label, probability, prediction (label to probability), error{and_verdict}
and reason. With error 1, reason is one of a few words and detail says more. A list of up to 64 pictures gives a list
of answers.
{columns}
After the model has changed, run the macro again, paste the new endpoint.py, and deploy a new version of the service.
The code in {code_zip} is part of vision-recipes (Apache License 2.0). Licence of the model: {licence}.
"""

_COLUMNS = """
This model also takes {names}. Values that are not given count as missing.
"""


def endpoint_code(name: str, packed: bytes, folder_hash: str, settings: Mapping[str, Any], columns: list[str]) -> str:
    """Return the code of an endpoint for a model, which trusts only code with the digest of `packed`."""
    return _CODE.format(
        name=_plain(name),
        columns="".join(f', "{column}": ...' for column in map(_plain, columns)),
        digest=hashlib.sha256(packed).hexdigest(),
        folder_hash=folder_hash,
        settings=dict(settings),
        code_zip=CODE_ZIP,
        module=MODULE,
        model=MODEL,
    )


def steps(name: str, label: str, licence: str, columns: list[str], *, verdict: bool) -> str:
    """Return the text that tells what to do with the files."""
    return _STEPS.format(
        name=name,
        label=label,
        and_verdict=", verdict" if verdict else "",
        columns=_COLUMNS.format(names=", ".join(columns)) if columns else "",
        code_zip=CODE_ZIP,
        licence=licence or "not known",
    )


def _plain(text: str) -> str:
    """Return a text as it may stand in a docstring."""
    return "".join(one if one.isprintable() and one not in '"\\' else "?" for one in text)
