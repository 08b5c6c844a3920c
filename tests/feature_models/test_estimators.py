"""What is stored of a model answers as scikit-learn's estimator does."""

import numpy as np
import pytest

from vision_recipes.feature_models.estimators import TREES, Task, fit_predictor
from vision_recipes.training.blas_threads import blas_threads

SETTINGS = {
    **{"penalty": 1e-3, "gamma": 0.05, "c": 3.0, "epsilon": 0.1, "neighbours": 5, "leaf_rows": 2},
    **{"inputs_tried": 0.3, "learning_rate": 0.1, "iterations": 20, "leaves": 8},
}


def estimators(classes, count):
    from sklearn import ensemble, linear_model, neighbors, svm

    tree = {"learning_rate": 0.1, "max_iter": 20, "max_leaf_nodes": 8, "min_samples_leaf": count // 20}
    tree |= {"l2_regularization": 1.0, "early_stopping": False, "random_state": 1}
    forest = {"n_estimators": TREES, "min_samples_leaf": 2, "max_features": 0.3, "random_state": 1}
    kernel = {"C": 3.0, "gamma": 0.05}
    near = {"n_neighbors": 5, "weights": lambda distances: 1 / np.sqrt(distances**2 + 1e-6)}
    if classes:
        return {
            "linear": linear_model.LogisticRegression(C=1 / (1e-3 * count), max_iter=300),
            "neighbours": neighbors.KNeighborsClassifier(**near),
            "forest": ensemble.RandomForestClassifier(**forest),
            "boosting": ensemble.HistGradientBoostingClassifier(**tree),
        } | ({"svm": svm.SVC(**kernel)} if classes == 2 else {})
    return {
        "linear": linear_model.Ridge(alpha=1e-3 * count),
        "neighbours": neighbors.KNeighborsRegressor(**near),
        "forest": ensemble.RandomForestRegressor(**forest),
        "boosting": ensemble.HistGradientBoostingRegressor(**tree),
        "svm": svm.SVR(epsilon=0.1, **kernel),
    }


@pytest.mark.parametrize("classes", [0, 2, 4])
def test_arrays_answer_as_the_estimator_does(classes):
    random = np.random.default_rng(0)
    inputs = random.standard_normal((240, 8)).astype(np.float32)
    values = inputs[:, 0] + inputs[:, 1] ** 2 + 0.1 * random.standard_normal(240)
    targets = np.digitize(values, np.quantile(values, np.linspace(0, 1, classes + 1)[1:-1])) if classes else values
    new = random.standard_normal((50, 8)).astype(np.float32)
    for kind, estimator in estimators(classes, 240).items():
        with blas_threads(0):
            estimator.fit(inputs.astype(np.float64), targets)
        found = fit_predictor(kind, SETTINGS, inputs, targets, Task(classes, 1))
        found.check(8, classes or 1)
        answers = found.outputs(new)
        if not classes:
            truth = estimator.predict(new.astype(np.float64))[:, None]
        elif hasattr(estimator, "decision_function"):
            decision = estimator.decision_function(new.astype(np.float64))
            truth = np.stack([0 * decision, decision], 1) if classes == 2 else decision
        else:
            truth = estimator.predict_proba(new.astype(np.float64))
        assert np.abs(answers - truth).max() < 2e-3, kind


def test_a_class_without_a_row_is_never_the_answer():
    inputs = np.random.default_rng(0).standard_normal((60, 3)).astype(np.float32)
    targets = np.where(inputs[:, 0] > 0, 1, 3)
    for kind in ("linear", "svm", "neighbours", "forest", "boosting"):
        answers = fit_predictor(kind, SETTINGS, inputs, targets, Task(5, 1)).outputs(inputs)
        assert set(answers.argmax(axis=1)) == {1, 3} and answers.shape == (60, 5), kind
        alone = fit_predictor(kind, SETTINGS, inputs, targets * 0 + 2, Task(5, 1)).outputs(inputs)
        assert (alone.argmax(axis=1) == 2).all(), kind
