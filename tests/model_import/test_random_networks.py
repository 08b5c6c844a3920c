"""Networks drawn at random, built after others in the same process, import and answer as Keras does."""

from contextlib import suppress

import numpy as np
import pytest
from model_import.answers import ENDINGS, difference, draw_weights

NAMES = ("dense_1", "dense", "conv2d_7", "größe", "a b", "batch_normalization", "x.y", "Add", "add", "getitem", "-")
SIDE = 12


class Drawn:
    """A network of random layers; `self.draw` decides on kinds, names, nesting and repeated use."""

    def __init__(self, seed: int) -> None:
        self.draw = np.random.default_rng(seed)

    def name(self, taken: set[str]) -> str | None:
        """Return a name for one layer in three, among them some that look as if Keras had given them."""
        name = NAMES[self.draw.integers(len(NAMES))]
        if self.draw.random() > 0.33 or name in taken:
            return None
        taken.add(name)
        return name

    def layer(self, taken: set[str], depth: int):
        from keras import layers as kinds

        def named(kind, *given, **settings):
            return kind(*given, **settings, name=self.name(taken))

        makers = [
            lambda: named(kinds.Conv2D, 4, 3, padding="same", activation="relu"),
            lambda: named(kinds.Conv2D, 4, 1, use_bias=False),
            lambda: named(kinds.DepthwiseConv2D, 3, padding="same"),
            lambda: named(kinds.SeparableConv2D, 4, 3, padding="same"),
            lambda: named(kinds.BatchNormalization),
            lambda: named(kinds.LayerNormalization),
            lambda: named(kinds.Dense, 4, activation="tanh"),
            lambda: named(kinds.PReLU, shared_axes=[1, 2]),
            lambda: named(kinds.Rescaling, 0.5, offset=0.1),
            lambda: named(kinds.RandomFlip),
            lambda: named(kinds.Dropout, 0.5),
            lambda: named(kinds.Activation, "sigmoid"),
            lambda: self.sequence(depth + 1, taken),
            lambda: self.branches(depth + 1, taken),
        ]
        layer = makers[self.draw.integers(len(makers) - (2 if depth > 1 else 0))]()
        layer.trainable = bool(self.draw.random() > 0.3)
        return layer

    def sequence(self, depth: int, taken: set[str]):
        import keras

        inner: set[str] = set()
        entry = [keras.Input((SIDE, SIDE, 4))] if self.draw.random() < 0.5 else []
        return keras.Sequential([*entry, *(self.layer(inner, depth) for _ in range(2))], name=self.name(taken))

    def branches(self, depth: int, taken: set[str]):
        """Return a network of two branches, one of which may use a layer of the other again."""
        import keras

        inner: set[str] = set()
        entry = keras.Input((SIDE, SIDE, 4))
        first, second = self.layer(inner, depth), self.layer(inner, depth)
        one, other = first(entry), second(entry)
        if self.draw.random() < 0.5:
            other = first(other * 0.5)
        return keras.Model(entry, one + other if self.draw.random() < 0.5 else keras.layers.Add()([one, other]))

    def network(self):
        import keras

        taken: set[str] = set()
        pixels = keras.Input((SIDE, SIDE, 3))
        flowing = keras.layers.Conv2D(4, 3, padding="same", name=self.name(taken))(pixels / 255.0)
        for _ in range(4):
            layer = self.layer(taken, 0)
            flowing = layer(flowing)
            if self.draw.random() < 0.3:
                flowing = layer(flowing)
        pooled = keras.layers.GlobalAveragePooling2D()(flowing)
        return keras.Model(pixels, keras.layers.Dense(3, name=self.name(taken))(pooled))


def drawn_network(seed):
    """Return a network; a draw whose given names meet those that Keras gives by itself is repeated."""
    while True:
        seed += 10_000
        with suppress(ValueError):
            return Drawn(seed).network()


@pytest.mark.keras
@pytest.mark.parametrize("seed", range(12))
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_random_networks_answer_as_keras_does(tmp_path, seed):
    import keras

    keras.backend.clear_session()
    for before in range(seed % 4):
        drawn_network(1000 + before)
    network = drawn_network(seed)
    draw_weights(network, seed)
    for ending in ENDINGS:
        assert difference(network, tmp_path, ending) < 1e-5, ending
