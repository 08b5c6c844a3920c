"""How many threads matrix products take: one, unless a product is so large that several save more than they cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vision_recipes.images.reading import cpu_count

_WORTH_THREADS = 4e9
"""Floating point operations of a product from which on threads pay. Below it they mostly wait for each other, and on a
machine that is busy with other jobs a solver takes ten times as long with them."""


@contextmanager
def blas_threads(operations: float) -> Iterator[None]:
    """Limit the threads for products that take so many floating point operations each.

    The number depends on the size of the task alone, so the same task gives the same bits.
    """
    import scipy.linalg  # noqa: F401 - loaded first, so that the limit holds for its threads as well
    from threadpoolctl import threadpool_limits

    with threadpool_limits(cpu_count() if operations > _WORTH_THREADS else 1):
        yield
