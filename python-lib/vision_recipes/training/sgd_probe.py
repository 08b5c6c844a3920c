"""The last layer trained step by step with a named optimizer, on features that are computed once.

For those who choose an optimizer; the logistic regression of `linear_probe` finds the optimum that it approaches.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.training.batches import Samples
from vision_recipes.training.column_formulas import ADDITIVE, Formula
from vision_recipes.training.design_matrix import LinearProbe
from vision_recipes.training.epochs import Epoch, require_finite
from vision_recipes.training.optimisers import make_optimizer
from vision_recipes.training.training_device import TrainingDevice
from vision_recipes.training.training_loop import TrainingLoop, compile_network
from vision_recipes.training_settings import RetrainSettings
from vision_recipes.wording import counted

_BATCH, _EVALUATION_BATCH = 32, 4096


def fit_sgd(
    train: LabelledImages,
    valid: LabelledImages,
    settings: RetrainSettings,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    formula: Formula = Formula(ADDITIVE),  # noqa: B008 - frozen
) -> LinearProbe:
    """Return the layer of the best epoch; `valid` may be empty, then epochs are compared on the training rows.

    Columns join the features by `formula`, which is not "hidden". Dropout, penalties, smoothing, batches, schedule and
    early stopping are as the settings say, for standardised features, so that one learning rate suits all networks.
    Raises TrainingError when the loss is not finite, SettingsError for parameters that the optimizer does not have,
    DeviceError.
    """
    import keras

    optimizer = make_optimizer(settings, settings.model_learning_rate)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    device = TrainingDevice.claim(settings.compute)
    device.seed(settings.random_seed)
    standardised = formula.design(train, project=False)
    with replace(device, policy="float32", strategy=None).scope():
        layer = keras.layers.Dense(
            len(train.classes),
            activation="softmax",
            kernel_initializer="zeros",
            kernel_regularizer=keras.regularizers.L1L2(settings.model_l1, settings.model_l2),
        )
        width = standardised.matrix.shape[1]
        network = keras.Sequential([keras.Input((width,)), keras.layers.Dropout(settings.model_dropout), layer])
        compile_network(network, optimizer, settings, on_gpu=device.on_gpu)
    loop = TrainingLoop(
        network,
        _samples(standardised.matrix, train),
        _samples(standardised.apply(formula.shown(valid)) if len(valid) else standardised.matrix[:0], valid),
        settings,
        batch_size=min(settings.batch_size or _BATCH, len(train)),
        evaluation_batch=_EVALUATION_BATCH,
        on_epoch=on_epoch,
    )
    loop.run()
    weights, best = layer.get_weights(), loop.best
    with np.errstate(over="ignore"):  # a fit can be perfect with weights that no picture outside of it survives
        norm = float(np.square(weights[0]).sum())
    require_finite(norm, best.number, best.learning_rate, "squared norm of the weights")
    epochs = counted(len(loop.epochs), "epoch")
    how = f"{settings.model_optimizer}, {epochs}, the best is {best.number}"
    return formula.finished(LinearProbe(*standardised.fold(*weights), how, loop.epochs), train)


def _samples(matrix: np.ndarray, rows: LabelledImages) -> Samples:
    return Samples(lambda places, _: (matrix[places],), rows.targets, rows.weights, len(rows.classes))
