"""`dataiku.core.schema_handling`: the dtypes of numpy that storage types have."""

from __future__ import annotations

from typing import Any

__all__ = ["DKU_PANDAS_TYPES_MAP"]  # noqa: F822 (made when asked for: it needs numpy)


def __getattr__(name: str) -> Any:
    """Make `DKU_PANDAS_TYPES_MAP`: storage type -> dtype of the types that numpy has; others are objects."""
    if name != "DKU_PANDAS_TYPES_MAP":
        raise AttributeError(name)
    import numpy as np

    whole = {"tinyint": np.int8, "smallint": np.int16, "int": np.int32, "bigint": np.int64}
    return {**whole, "float": np.float32, "double": np.float64, "boolean": np.bool_}
