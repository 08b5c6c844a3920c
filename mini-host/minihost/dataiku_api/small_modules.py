"""Small things that components import from the platform's packages: exceptions, JSON, environment variables, frames."""

from __future__ import annotations

import datetime as dt
import json
import os
from typing import Any


class DataikuException(Exception):
    """`dataikuapi.utils.DataikuException`: the API refused something."""


DataikuException.__module__ = "dataikuapi.utils"  # as tracebacks name it


def safe_exception(err: BaseException) -> str:
    """Return an exception's text whatever it holds (`dataiku.base.utils.safe_exception`)."""
    try:
        return str(err)
    except Exception:
        return type(err).__name__


def safe_unicode_str(value: Any) -> str:
    """Return a value as text (`dataiku.base.utils.safe_unicode_str`)."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def plain(value: Any) -> Any:
    """Return numbers and arrays of numpy as plain ones, dates as ISO 8601, anything else as text."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return value.isoformat() if isinstance(value, dt.date) else str(value)


class DKUJSONEncoder(json.JSONEncoder):
    """Encodes numbers and arrays of numpy as plain ones, dates as ISO 8601 (`dataiku.core.dkujson.DKUJSONEncoder`)."""

    def default(self, o: Any) -> Any:
        """Return something that JSON has in place of what it does not have."""
        return plain(o)


def dumps(value: Any, **options: Any) -> str:
    """Return JSON text; numbers and arrays of numpy become plain ones (`dataiku.core.dkujson.dumps`)."""
    return json.dumps(value, default=options.pop("default", plain), **options)


def dump(value: Any, stream: Any, **options: Any) -> None:
    """Write JSON text to a stream (`dataiku.core.dkujson.dump`)."""
    stream.write(dumps(value, **options))


def loads(text: str, **options: Any) -> Any:
    """Return what JSON text says (`dataiku.core.dkujson.loads`)."""
    return json.loads(text, **options)


def load(stream: Any, **options: Any) -> Any:
    """Return what a stream of JSON text says (`dataiku.core.dkujson.load`)."""
    return json.load(stream, **options)


def dump_to_filepath(path: str, value: Any) -> None:
    """Write JSON text to a file (`dataiku.core.dkujson.dump_to_filepath`)."""
    with open(path, "w", encoding="utf-8") as stream:
        dump(value, stream)


def load_from_filepath(path: str) -> Any:
    """Return what a JSON file says (`dataiku.core.dkujson.load_from_filepath`)."""
    with open(path, encoding="utf-8") as stream:
        return json.load(stream)


_set_paths: list[str] = []


def clear_all_env_vars() -> None:
    """Forget the environment variables of the code environment (`dataiku.code_env_resources.clear_all_env_vars`)."""
    while _set_paths:
        os.environ.pop(_set_paths.pop(), None)


def set_env_var(name: str, value: str) -> None:
    """Set an environment variable of the code environment."""
    os.environ[name] = value
    _set_paths.append(name)


def set_env_path(name: str, path: str) -> None:
    """Set an environment variable to a path below the working directory (`dataiku.code_env_resources.set_env_path`)."""
    set_env_var(name, os.path.abspath(path))


def get_webapp_config() -> dict[str, Any]:
    """Return the parameters of the web app (`dataiku.customwebapp.get_webapp_config`)."""
    from minihost.dataiku_api import session

    return dict(session.current().job.config)


def to_datetime(series: Any, **options: Any) -> Any:
    """Return a column parsed as moments (`dataiku.pandasutils`)."""
    import pandas as pd

    return pd.to_datetime(series, **options)


def audit(frame: Any) -> Any:
    """Return one row of facts for each column of a frame (`dataiku.pandasutils.audit`)."""
    import pandas as pd

    rows = []
    for name in frame.columns:
        counts = frame[name].value_counts()
        rows.append(
            {
                "_a_variable": name,
                "_b_data_type": str(frame[name].dtype),
                "_c_cardinality": int(len(counts)),
                "_d_missings": int(frame[name].isna().sum()),
                "_e_sample_values": list(counts.index[:2]),
            }
        )
    return pd.DataFrame(rows)
