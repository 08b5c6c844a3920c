"""Where Keras trains: on the CPU, on a GPU or on several, in which precision; the only code for one backend alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from vision_recipes.inference.device_claim import claim
from vision_recipes.inference.devices import choose_gpus
from vision_recipes.settings import ComputeSettings


@dataclass(frozen=True)
class TrainingDevice:
    """`policy` is Keras' name of the precision, `strategy` spreads batches over several GPUs (TensorFlow)."""

    description: str
    policy: str = "float32"
    on_gpu: bool = False
    strategy: Any = None

    @classmethod
    def claim(cls, compute: ComputeSettings) -> TrainingDevice:
        """Return what the settings choose, with no other GPU visible to this process. Raises DeviceError."""
        gpus = choose_gpus(compute)
        description = str(claim(compute, gpus))
        if not gpus:
            return cls(description)
        lower = "bfloat16" if all(gpu.capability >= (8, 0) for gpu in gpus) else "float32"
        precision = lower if compute.precision == "auto" else compute.precision
        policy = precision if precision == "float32" else f"mixed_{precision}"
        return cls(description, policy, True, _strategy(len(gpus)))

    def seed(self, seed: int) -> None:
        """Make everything random depend on the seed and, on the CPU, sums independent of the threads' order."""
        import keras

        keras.utils.set_random_seed(seed)
        if keras.backend.backend() == "tensorflow" and not self.on_gpu:
            import tensorflow as tf

            tf.config.experimental.enable_op_determinism()

    @contextmanager
    def scope(self) -> Iterator[None]:
        """The context that a network is built and compiled in."""
        import keras

        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self.policy)
        try:
            with self.strategy.scope() if self.strategy else nullcontext():
                yield
        finally:
            keras.config.set_dtype_policy(before)


def is_out_of_memory(err: Exception) -> bool:
    """Return whether an error of any backend, or of numpy, says that memory ran out."""
    names = {kind.__name__ for kind in type(err).__mro__}
    return bool(names & {"MemoryError", "ResourceExhaustedError", "OutOfMemoryError"}) or any(
        words in str(err).lower() for words in ("out of memory", "memoryerror")
    )


def _strategy(gpus: int) -> Any:
    import keras

    if gpus < 2 or keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    return tf.distribute.MirroredStrategy()
