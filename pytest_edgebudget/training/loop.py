"""The loop: epochs in a seeded order, each kept in case the process is killed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.passes.base import Job
from pytest_edgebudget.training.arrays import Samples, read_samples
from pytest_edgebudget.training.losses import targets
from pytest_edgebudget.training.settings import Settings
from pytest_edgebudget.training.teaching import Lesson, lesson
from pytest_edgebudget.training.zeros import keep_zeros

KEPT = re.compile(r"epoch(\d+)\.weights\.h5")
AfterBatch = Callable[[int, int], None]


def start(settings: Settings) -> None:
    """
    The same numbers in every run on this machine: to be called before a model is read.

    Graph ops in a fixed order, seeds of Python, numpy and TensorFlow.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(settings.seed)
    tf.config.experimental.enable_op_determinism()


def train(
    job: Job, model: Any, settings: Settings, *, after_batch: AfterBatch | None = None
) -> None:
    """
    Train *model* in place on the train split of ``job.data``.

    Adam with a rate that falls to 0 along a cosine. The loss is found from labels and
    outputs (see `losses.targets`); with ``settings.teacher`` a part of it are the
    answers of ``job.teacher``. Pruned weights stay zero. After each epoch everything is
    kept in ``job.checkpoint``: a second call goes on from there, and ends at the same
    weights. *after_batch* is told the number of steps that were made, and of all: first before
    any is made here, then behind each.

    Raises:
        BuildError: the data do not fit the model, or the loss became NaN.
    """
    if settings.epochs == 0:
        return
    if not model.trainable_weights:
        raise BuildError(
            f"{job.step} finds nothing to train: all layers are frozen",
            "set trainable = True on the layers and save the model again",
        )
    samples = read_samples(job.data, "train", model, job.step)
    keep_zeros(model)
    plan = lesson(job, model, samples, targets(model, samples, job.step), settings)
    _compile(plan, settings, len(samples))
    Loop(job, plan, samples, settings, after_batch).run()


def _compile(plan: Lesson, settings: Settings, samples: int) -> None:
    import keras

    steps = settings.epochs * _batches(samples, settings)
    rate = keras.optimizers.schedules.CosineDecay(settings.learning_rate, steps)
    plan.model.compile(
        keras.optimizers.Adam(rate),
        loss=dict(plan.losses),
        loss_weights=dict(plan.weights),
        jit_compile=False,  # XLA takes seconds to compile
    )
    plan.model.optimizer.build(plan.model.trainable_variables)


def _batches(samples: int, settings: Settings) -> int:
    return -(-samples // settings.batch_size)


@dataclass(frozen=True, slots=True)
class Loop:
    """One training of a *plan* on *samples*."""

    job: Job
    plan: Lesson
    samples: Samples
    settings: Settings
    after_batch: AfterBatch | None

    def run(self) -> None:
        """All epochs that are not done yet."""
        loss, epochs = "", self.settings.epochs
        done, batches = self._restored(), _batches(len(self.samples), self.settings)
        if self.after_batch:
            self.after_batch(done * batches, epochs * batches)
        for epoch in range(done, epochs):
            self.job.tell(f"epoch {epoch + 1} of {epochs}{loss}")
            value = self._epoch(epoch)
            if not math.isfinite(value):
                raise BuildError(
                    f"{self.job.step}: the loss is {value} in epoch {epoch + 1}",
                    f"a smaller learning_rate may help (it is {self.settings.learning_rate:g})",
                )
            loss = f", loss {value:.4g}"
            self._keep(epoch + 1)
        self.job.tell(f"{epochs} epochs done{loss}")

    def _epoch(self, epoch: int) -> float:
        import keras
        import numpy as np

        order = np.random.default_rng((self.settings.seed, epoch)).permutation(len(self.samples))
        self._reseed(epoch)
        inputs = [array[order] for array in self.samples.inputs]
        batches = _batches(len(order), self.settings)

        def tell(batch: int, logs: object = None) -> None:
            if self.after_batch:
                self.after_batch(epoch * batches + batch + 1, self.settings.epochs * batches)

        history = self.plan.model.fit(
            inputs[0] if len(inputs) == 1 else inputs,
            {name: array[order] for name, array in self.plan.answers.items()},
            batch_size=self.settings.batch_size,
            initial_epoch=epoch,
            epochs=epoch + 1,
            shuffle=False,
            verbose=0,
            callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=tell)],
        )
        return float(history.history["loss"][-1])

    def _reseed(self, epoch: int) -> None:
        """Dropout draws by the epoch's number: a training that goes on draws the same."""
        import numpy as np

        states = [each for each in self.plan.model.variables if "seed_generator" in each.path]
        for number, state in enumerate(states):
            draw = np.random.default_rng((self.settings.seed, epoch, number))
            state.assign(draw.integers(0, 2**31, state.shape).astype(state.dtype))

    def _keep(self, epoch: int) -> None:
        """All weights, the optimizer's too, in a file that is whole or not there."""
        folder = self.job.checkpoint
        if folder is None:
            return
        old = _kept(folder)
        part = folder / "part.weights.h5"
        self.plan.model.save_weights(str(part), overwrite=True)
        part.replace(folder / f"epoch{epoch}.weights.h5")
        for number, path in old.items():
            if number != epoch:
                path.unlink()

    def _restored(self) -> int:
        """Load the last epoch that was kept; return how many are done."""
        found = _kept(self.job.checkpoint) if self.job.checkpoint else {}
        if not found:
            return 0
        last = max(found)
        self.plan.model.load_weights(str(found[last]))
        return last


def _kept(folder: Path) -> dict[int, Path]:
    matches = ((KEPT.fullmatch(path.name), path) for path in folder.iterdir())
    return {int(match[1]): path for match, path in matches if match}
