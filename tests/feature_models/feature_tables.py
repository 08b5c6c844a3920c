"""Tables of vectors for tests, in memory."""

import numpy as np

from vision_recipes.feature_model_settings import ScoreFeaturesSettings, TrainFeaturesSettings
from vision_recipes.score_features import score_features
from vision_recipes.train_features import TrainFeaturesOutputs, train_features


class Rows:
    """A table in memory."""

    def __init__(self, rows, name="table", types=()):
        self.name, self._rows = name, rows
        self.columns = list(dict.fromkeys(key for row in rows for key in row))
        self.types = dict.fromkeys(self.columns, "string") | dict(types)

    def rows(self):
        return iter(self._rows)


class Kept:
    """An output table that keeps what is written."""

    def write(self, columns, rows):
        self.columns, self.rows = [column.name for column in columns], list(rows)
        return len(self.rows)


def labelled(count, classes=3, seed=0, width=12):
    """Rows with a vector that says the class, mostly, and the class in the column label."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(classes, width))
    numbers = np.arange(count) % classes
    vectors = centres[numbers] + random.normal(size=(count, width))
    return [
        {"images": f"/{place}.jpg", "prediction": vector.tolist(), "error": 0, "reason": "", "label": f"c{number}"}
        for place, (vector, number) in enumerate(zip(vectors, numbers, strict=True))
    ]


def priced(count, seed=0, photos=1, width=12):
    """Rows with a price that depends on a vector, of so many photos of a house, and on two columns."""
    random = np.random.default_rng(seed)
    axis = np.random.default_rng(98).normal(size=width)
    rows = []
    for house in range(count):
        area, town, quality = float(random.uniform(40, 200)), str(random.choice(["A", "B"])), random.normal()
        price = float(np.exp(11 + np.log(area / 100) + 0.3 * (town == "A") + 0.4 * quality + random.normal() * 0.05))
        rows += [
            {
                "images": f"/{house}_{photo}.jpg",
                "prediction": (axis * quality + random.normal(size=width) * 1.5).tolist(),
                "house": f"h{house}",
                "area": area,
                "town": town,
                "price": price,
            }
            for photo in range(photos)
        ]
    return rows


def train(rows, store, outputs=(), **params):
    """Train with two quick kinds of model, or those given."""
    settings = TrainFeaturesSettings.from_params({"models": ["linear", "neighbours"]} | params)
    train_features(Rows(rows), settings, TrainFeaturesOutputs(store, **dict(outputs)))


def score(rows, store, **params):
    """Return the rows that the model of a folder gives."""
    return list(score_features(Rows(rows), store, ScoreFeaturesSettings.from_params(params)))
