"""Pictures that lie together: clusters, the largest first, and the picture that stands for each."""

from __future__ import annotations

import numpy as np

from vision_recipes.map_settings import MapSettings
from vision_recipes.picture_map.layout import Layout

NONE = -1
_FEWEST, _PART, _LARGEST_LEAST = 5, 60, 500
"""A cluster has at least a sixtieth of the pictures: no fewer than 5, and no more than 500 need be in one."""
_REACH = 3.0


def find_clusters(layout: Layout, settings: MapSettings) -> np.ndarray:
    """Return the cluster of each picture, int (n,), from 0 (the largest); NONE for those between clusters."""
    count = len(layout.positions)
    method = settings.cluster_method
    if method == "none" or (method == "density" and count < 2 * _FEWEST):
        return np.full(count, NONE)
    labels = _by_density(layout.positions) if method == "density" else _divided(layout.reduced, settings)
    sizes = np.bincount(labels[labels >= 0])
    order = np.argsort(-sizes, kind="stable")
    numbers = np.empty(len(order) + 1, np.int64)
    numbers[order], numbers[NONE] = np.arange(len(order)), NONE
    return np.asarray(numbers[labels])


def _by_density(positions: np.ndarray) -> np.ndarray:
    """HDBSCAN (Campello, Moulavi and Sander 2013) on the plane, so that clusters are what is seen there.

    The leaves of its tree are the dense middles of clusters. A picture near one joins the nearest; what is near, the
    usual distance between neighbours says.
    """
    from sklearn.cluster import HDBSCAN
    from sklearn.neighbors import NearestNeighbors

    smallest = max(_FEWEST, min(_LARGEST_LEAST, len(positions) // _PART))
    samples = max(_FEWEST, smallest // 4)
    model = HDBSCAN(min_cluster_size=smallest, min_samples=samples, cluster_selection_method="leaf", copy=True)
    labels = np.asarray(model.fit_predict(positions))
    dense, rest = np.flatnonzero(labels >= 0), np.flatnonzero(labels < 0)
    if len(dense) and len(rest):
        usual = np.median(NearestNeighbors(n_neighbors=samples + 1).fit(positions).kneighbors(positions)[0][:, -1])
        distances, places = NearestNeighbors(n_neighbors=1).fit(positions[dense]).kneighbors(positions[rest])
        near = distances[:, 0] <= _REACH * usual
        labels[rest[near]] = labels[dense[places[near, 0]]]
    return labels


def _divided(reduced: np.ndarray, settings: MapSettings) -> np.ndarray:
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    different = len(np.unique(reduced, axis=0))
    with threadpool_limits(1):  # sums of several threads have no fixed order
        model = KMeans(min(settings.nb_clusters, different), n_init=4, random_state=settings.random_seed)
        return np.asarray(model.fit_predict(reduced))


def representatives(reduced: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Return the row of each cluster's medoid, the picture with the least squared distance to the others: int (k,)."""
    rows = [np.flatnonzero(clusters == number) for number in range(clusters.max(initial=NONE) + 1)]
    middles = [reduced[members].mean(0, dtype=np.float64) for members in rows]
    return np.array(
        [
            members[((reduced[members] - middle) ** 2).sum(1).argmin()]
            for members, middle in zip(rows, middles, strict=True)
        ],
        np.int64,
    )
