"""vision-train-features against models tuned by hand, and prices from photos and columns.

`python -m benchmarks.feature_models FEATURES.parquet COLUMN` compares, on ten random halves of a table of vectors, the
accuracy of the recipe's model with that of scikit-learn's models whose settings a grid search chooses in as much time.
`python -m benchmarks.feature_models prices TRAIN.parquet TEST.parquet` compares prices predicted from photos and
columns with those from each alone, on tables with a row for each photo, its house, the columns and the price.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from vision_recipes.feature_model_settings import ScoreFeaturesSettings, TrainFeaturesSettings
from vision_recipes.feature_models.feature_model_folder import open_feature_model
from vision_recipes.score_features import score_features
from vision_recipes.stores import LocalStore
from vision_recipes.train_features import TrainFeaturesOutputs, train_features

DRAWS = 10


class Rows:
    """A table in memory."""

    name = "table"

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._rows = rows
        self.columns = list(rows[0])
        self.types = dict.fromkeys(self.columns, "string")

    def rows(self) -> Iterator[Mapping[str, Any]]:
        """Yield the rows."""
        return iter(self._rows)


def predicted(train: Sequence[dict], test: Sequence[dict], **params: Any) -> tuple[list[dict], Any]:
    """Return the scored rows of a test by a model of the training rows, and the model."""
    with tempfile.TemporaryDirectory() as folder:
        store = LocalStore(folder)
        train_features(Rows(train), TrainFeaturesSettings.from_params(params), TrainFeaturesOutputs(store))
        return list(score_features(Rows(test), store, ScoreFeaturesSettings())), open_feature_model(store)


def tuned_by_hand(x: np.ndarray, y: np.ndarray, new: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Return the accuracy on new rows of each of scikit-learn's models, its settings by grid search."""
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Normalizer, StandardScaler
    from sklearn.svm import SVC

    models = {
        "logistic regression": (
            make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)),
            {"logisticregression__C": [1e-4, 1e-3, 1e-2, 1e-1, 1]},
        ),
        "SVM": (
            make_pipeline(StandardScaler(), SVC()),
            {"svc__C": [1, 3, 10, 30], "svc__gamma": [1e-4, 3e-4, "scale"]},
        ),
        "nearest neighbours": (
            make_pipeline(Normalizer(), KNeighborsClassifier(weights="distance")),
            {"kneighborsclassifier__n_neighbors": [1, 3, 5, 10, 20]},
        ),
        "random forest": (RandomForestClassifier(300, random_state=0, n_jobs=2), {"min_samples_leaf": [1, 3]}),
        "gradient boosting": (HistGradientBoostingClassifier(max_iter=60, random_state=0), {"max_leaf_nodes": [6]}),
    }
    found = {}
    for name, (model, grid) in models.items():
        if name == "gradient boosting" and "--boosting" not in sys.argv:
            continue
        search = GridSearchCV(model, grid, cv=5).fit(x, y)
        found[name] = (float((search.predict(new) == truth).mean()), search.best_score_)
    return found


def compare(table: str, column: str) -> None:
    """Print the accuracy of the recipe's model and of the best tuned by hand, on halves of a table."""
    import pandas as pd

    rows = pd.read_parquet(table).to_dict("records")
    x, y = np.stack([row["prediction"] for row in rows]).astype(np.float32), np.array([row[column] for row in rows])
    sums: dict[str, list[float]] = {}
    for draw in range(DRAWS):
        order = np.random.default_rng(draw).permutation(len(rows))
        train, test = order[: len(rows) // 2], order[len(rows) // 2 :]
        started = time.perf_counter()
        scored, model = predicted(
            [rows[i] for i in train], [rows[i] for i in test], col_label=column, use_columns="none"
        )
        seconds = time.perf_counter() - started
        own = float(np.mean([row["label"] == y[i] for row, i in zip(scored, test, strict=True)]))
        started = time.perf_counter()
        by_hand = tuned_by_hand(x[train], y[train], x[test], y[test])
        chosen = max(by_hand, key=lambda name: by_hand[name][1])
        found = {"recipe": own, "best in its cross-validation": by_hand[chosen][0]}
        found |= {name: value for name, (value, _) in by_hand.items()}
        for name, value in found.items():
            sums.setdefault(name, []).append(value)
        print(
            draw,
            model.config.kind,
            dict(model.config.settings),
            f"{seconds:.0f} s,",
            f"{time.perf_counter() - started:.0f} s",
            {k: round(v, 4) for k, v in found.items()},
            flush=True,
        )
    for name, values in sums.items():
        print(f"| {name} | {100 * np.mean(values):.2f} |")


def prices(train: str, test: str) -> None:
    """Print the errors of prices predicted from photos and columns, and from each alone, on houses held out."""
    import pandas as pd

    old, new = (pd.read_parquet(path).drop(columns="__index_level_0__", errors="ignore") for path in (train, test))
    truth = new.groupby("house", sort=False)["price"].first().to_numpy()
    params = {"col_label": "price", "combine_column": "house", "search_minutes": 1.5}
    for name, changed, more in (
        ("photos and columns", False, {}),
        ("photos alone", False, {"use_columns": "none"}),
        ("columns alone", True, {}),
    ):
        parts = [frame.to_dict("records") for frame in (old, new)]
        if changed:  # numbers that say nothing in place of the vectors
            random = np.random.default_rng(0)
            parts = [[row | {"prediction": random.normal(size=2).tolist()} for row in rows] for rows in parts]
        started = time.perf_counter()
        scored, model = predicted(*parts, **params, **more)
        values = np.array([row["value"] for row in scored])
        inside = np.mean([row["low"] <= value <= row["high"] for row, value in zip(scored, truth, strict=True)])
        error, squared = np.abs(values - truth), ((truth - truth.mean()) ** 2).sum()
        print(
            f"| {train} | {name} | {model.config.form}, {model.config.kind} | {error.mean():,.0f} | "
            f"{100 * np.median(error / truth):.1f} % | {1 - (error**2).sum() / squared:.3f} | {100 * inside:.0f} % | "
            f"{time.perf_counter() - started:.0f} s |",
            flush=True,
        )


if __name__ == "__main__":
    if sys.argv[1] == "prices":
        prices(*sys.argv[2:4])
    else:
        compare(*sys.argv[1:3])
