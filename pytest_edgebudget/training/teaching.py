"""What a model learns from: its labels, and with a teacher the float model's answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.facts import Array
from pytest_edgebudget.passes.base import Job
from pytest_edgebudget.training.arrays import Samples, output_names
from pytest_edgebudget.training.files import read_model
from pytest_edgebudget.training.losses import Target
from pytest_edgebudget.training.settings import Settings

TINY = 1e-7
"""Below this a probability is taken to be this: its logarithm has to be finite."""

AT_ONCE = 256
"""Samples that the teacher answers at once."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """
    A *model* around the layers that are trained, one output for each loss.

    *answers* are what its outputs are compared with, *losses* how, *weights* how much.
    """

    model: Any
    answers: Mapping[str, Array]
    losses: Mapping[str, Any]
    weights: Mapping[str, float]


def lesson(
    job: Job, model: Any, samples: Samples, wanted: Mapping[str, Target], settings: Settings
) -> Lesson:
    """
    The losses of *model*: those of its labels, and with a teacher one more an output.

    The model itself stays uncompiled, so that a file of it holds no optimizer.

    Raises:
        BuildError: the teacher's outputs are not those of the model.
    """
    import keras

    outputs = dict(zip(output_names(model), model.outputs, strict=True))
    answers = {name: target.labels for name, target in wanted.items()}
    losses = {name: target.loss() for name, target in wanted.items()}
    share = settings.teacher_weight if settings.teacher else 0.0
    weights = dict.fromkeys(outputs, 1.0 - share)
    if settings.teacher:
        for name, soft in _taught(job, model, samples).items():
            key, like = f"{name}_as_taught", wanted[name]
            outputs[key] = keras.layers.Identity(name=key)(outputs[name])
            answers[key] = soft
            losses[key] = _soft_loss(like, settings.temperature)
            weights[key] = share
    return Lesson(keras.Model(model.inputs, outputs), answers, losses, weights)


def _taught(job: Job, model: Any, samples: Samples) -> dict[str, Array]:
    """The teacher's answers to all samples, by the names of the model's outputs."""
    if job.teacher is None:
        raise BuildError(f"{job.step}: there is no float source model to teach")
    teacher = read_model(job.teacher, str(job.step))
    inputs = samples.inputs
    if [t.shape[1:] for t in teacher.inputs] != [t.shape[1:] for t in model.inputs]:
        raise BuildError(
            f"{job.step}: the source model has other inputs than what is trained",
            "leave teacher=true out",
        )
    found = teacher.predict(
        inputs[0] if len(inputs) == 1 else list(inputs), batch_size=AT_ONCE, verbose=0
    )
    values = _flat(found)
    return dict(zip(output_names(model), values, strict=True))


def _flat(found: Any) -> list[Array]:
    import keras

    return list(keras.tree.flatten(found))


def _soft_loss(target: Target, temperature: float) -> Callable[[Any, Any], Any]:
    """
    How far an output is from the teacher's.

    For classes: the cross-entropy of both softened by the temperature, times its
    square, so that the gradients keep their size (Hinton et al. 2015, section 2).
    For others the mean squared error.
    """
    import keras
    from keras import ops

    if target.kind == "values":
        return keras.losses.MeanSquaredError()  # type: ignore[no-any-return]

    def classes(taught: Any, answer: Any) -> Any:
        soft = ops.softmax(_logits(taught, target.activation) / temperature)
        own = ops.log_softmax(_logits(answer, target.activation) / temperature)
        return -ops.mean(ops.sum(soft * own, axis=-1)) * temperature**2

    def chances(taught: Any, answer: Any) -> Any:
        soft = ops.sigmoid(_logits(taught, target.activation) / temperature)
        own = _logits(answer, target.activation) / temperature
        return ops.mean(ops.binary_crossentropy(soft, own, from_logits=True)) * temperature**2

    return classes if target.kind == "classes" else chances


def _logits(values: Any, activation: str) -> Any:
    """Logits again (up to a constant) from probabilities."""
    from keras import ops

    if not activation:
        return values
    values = ops.clip(values, TINY, 1.0 - TINY)
    if activation == "softmax":
        return ops.log(values)
    return ops.log(values) - ops.log(1.0 - values)
