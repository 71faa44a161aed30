"""The search of `tune`: models of the user's function, by Optuna, in the limits of a budget."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.facts import Array, PlanFacts
from pytest_edgebudget.jobs.resolve import resolve
from pytest_edgebudget.passes.base import Job
from pytest_edgebudget.surgery.rebuild import Model
from pytest_edgebudget.training import Settings, files, loop
from pytest_edgebudget.training.arrays import as_given, output_names, read_samples
from pytest_edgebudget.training.losses import Target, targets
from pytest_edgebudget.types import Dimension, Tuning, Unit
from pytest_edgebudget.units import format_pair

TRAINING = ("learning_rate", "epochs", "batch_size")
"""What goes to the training, not to the function."""

ASKED = 10
"""So many times more than are trained may be looked at: most may not fit."""

SHARE = 0.2
"""Of x_train, for validation, where there is no x_val."""

STUDY = "tune"
UNFIT, FAILED, OVER = "unfit", "failed", "over"
UNITS = {"size": Unit.BYTES, "arena": Unit.BYTES, "macs": Unit.COUNT}
"""Of what is known of a model before it is trained."""

Chosen = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Best:
    """The best trained *model*, and a sentence about how it was found."""

    model: Path
    note: str


@dataclass(frozen=True, slots=True)
class Search:
    """
    One search; what was tried is in *folder*, and tried once.

    *trials* are trained at most, *seconds* spent at most in all its runs.
    """

    job: Job
    tuning: Tuning
    settings: Settings
    trials: int
    seconds: float
    folder: Path

    def run(self) -> Best:
        """
        Try until enough were trained, or the time is over.

        Raises:
            BuildError: the function is not what it should be, or nothing fits.
        """
        build, keys = self._function()
        source = _shapes(files.read_model(self.job.model, str(self.job.step)))
        data = _split(self.job.data, self.folder / "split.npz", self.settings.seed)
        study = self._study()
        while self._goes_on(study):
            self._sampler(study)
            trial = study.ask()
            self._tell(study)
            self._try(study, trial, build, keys, source, data)
        return self._best(study)

    def _function(self) -> tuple[Callable[..., Model], set[str]]:
        """The user's function, and which of the dimensions it takes."""
        build = resolve(str(self.tuning.function))
        parameters = inspect.signature(build).parameters
        anything = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        names = {each.name for each in self.tuning.space}
        taken = {name for name in names if anything or name in parameters}
        for name in sorted(names - taken - set(TRAINING)):
            close = difflib.get_close_matches(name, [*parameters, *TRAINING], n=1)
            raise BuildError(
                f"{self.job.step}: {self.tuning.function} takes no {name}",
                f"did you mean {close[0]}?" if close else f"it takes {', '.join(parameters)}",
            )
        return build, taken

    def _study(self) -> Any:
        """What was tried before, and what is tried now; a trial that was killed has failed."""
        import optuna
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        storage = optuna.storages.JournalStorage(
            JournalFileBackend(str(self.folder / "trials.log"))
        )
        study = optuna.create_study(
            storage=storage, study_name=STUDY, direction="maximize", load_if_exists=True
        )
        for trial in study.get_trials(states=(optuna.trial.TrialState.RUNNING,)):
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        return study

    def _sampler(self, study: Any) -> None:
        """A sampler whose next choice depends on the seed and on what was tried, only."""
        import optuna

        seed = self.settings.seed * 10_007 + len(study.trials)
        study.sampler = optuna.samplers.TPESampler(seed=seed)

    def _goes_on(self, study: Any) -> bool:
        tried = study.trials
        spent = sum((each.duration.total_seconds() for each in tried if each.duration), 0.0)
        return (
            len(_trained(study)) < self.trials
            and len(tried) < self.trials * ASKED
            and spent < self.seconds
        )

    def _tell(self, study: Any) -> None:
        done = _trained(study)
        best = f", best {study.best_value:.4g}" if done else ""
        self.job.tell(f"trial {len(done) + 1} of {self.trials}{best}")

    def _try(
        self,
        study: Any,
        trial: Any,
        build: Callable[..., Model],
        keys: set[str],
        source: object,
        data: Path,
    ) -> None:
        import optuna

        states = optuna.trial.TrialState
        chosen = {each.name: _suggested(trial, each) for each in self.tuning.space}
        again = _earlier(study, trial.number, chosen)
        if again is not None:  # the same model would come out: it is not counted
            trial.set_user_attr(UNFIT, "tried before")
            study.tell(trial, state=states.PRUNED)
            return
        try:
            model = self._built(build, {k: v for k, v in chosen.items() if k in keys}, source)
            if why := self._unfit(trial, model):
                trial.set_user_attr(UNFIT, why)
                study.tell(trial, state=states.PRUNED)
                return
            value = self._trained(model, chosen, data)
        except BuildError as error:
            trial.set_user_attr(FAILED, error.message)
            study.tell(trial, state=states.FAIL)
            return
        study.tell(trial, value)
        if study.best_trial.number == trial.number:
            files.write_model(model, self.folder / "part.keras")
            (self.folder / "part.keras").replace(self.folder / f"best{trial.number}.keras")

    def _built(self, build: Callable[..., Model], given: Chosen, source: object) -> Model:
        import keras

        keras.backend.clear_session()
        keras.utils.set_random_seed(self.settings.seed)
        model = build(**given)
        words = ", ".join(f"{name}={value}" for name, value in given.items())
        called = f"{self.tuning.function}({words})"
        if not isinstance(model, keras.Model):
            raise BuildError(f"{called} returned {type(model).__name__}, not a Keras 3 model")
        if not model.built or _shapes(model) != source:
            raise BuildError(f"the inputs or outputs of {called} are not those of the source model")
        return model

    def _unfit(self, trial: Any, model: Model) -> str:
        """Why the model cannot fit, found before it is trained; empty when it may."""
        if self.job.deployed is None or not self.tuning.bounds:
            return ""
        path = self.folder / "untrained.keras"
        _write_as_if_trained(model, path)
        costs = dict(_costs(self.job.deployed(path), self.tuning))
        words, over = [], []
        for metric, most in self.tuning.bounds:
            if metric in costs:
                over.append(costs[metric] / max(most, 1.0) - 1.0)
                trial.set_constraint(metric, over[-1])
                if costs[metric] > most:
                    found, bound = format_pair(costs[metric], most, UNITS[metric])
                    words.append(f"{metric} {found} of {bound}")
        trial.set_user_attr(OVER, max((*over, 0.0)))
        return ", ".join(words)

    def _trained(self, model: Model, chosen: Chosen, data: Path) -> float:
        settings = replace(
            self.settings,
            **{name: value for name, value in chosen.items() if name in TRAINING},
        )
        loop.start(settings)
        job = replace(self.job, data=data, checkpoint=None, progress=None)
        loop.train(job, model, settings)
        return score(model, data, self.job.step)

    def _best(self, study: Any) -> Best:
        done = _trained(study)
        unfit = [each for each in study.trials if each.user_attrs.get(UNFIT, "").count(" of ")]
        if not done:
            unfit.sort(key=lambda each: float(each.user_attrs.get(OVER, 0.0)))
            raise self._nothing(study, [each.user_attrs[UNFIT] for each in unfit])
        best = study.best_trial
        words = ", ".join(f"{name}={_word(value)}" for name, value in best.params.items())
        more = f"; {len(unfit)} more could not fit and were not trained" if unfit else ""
        note = f"best of {len(done)} trained, {best.value:.4g} in validation: {words}{more}"
        return Best(self.folder / f"best{best.number}.keras", note)

    def _nothing(self, study: Any, unfit: list[str]) -> BuildError:
        """*unfit*: what is too much of the models that were not trained, the nearest first."""
        failed = [each.user_attrs[FAILED] for each in study.trials if FAILED in each.user_attrs]
        step = self.job.step
        if unfit:
            return BuildError(
                f"{step}: none of {len(unfit)} models fits; the nearest has {unfit[0]}",
                "let [models.NAME.tune] begin lower, or put more steps behind it: tune(30)+int8",
            )
        return BuildError(
            f"{step}: no model could be trained: {failed[0] if failed else 'no time'}"
        )


def _write_as_if_trained(model: Model, path: Path) -> None:
    """Save *model* with other weights: biases of zero would be converted to nothing."""
    weights, rng = model.get_weights(), np.random.default_rng(0)
    model.set_weights([each + 0.01 + 0.01 * rng.random(each.shape) for each in weights])
    files.write_model(model, path)
    model.set_weights(weights)


def _trained(study: Any) -> list[Any]:
    import optuna

    return list(study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,)))


def _earlier(study: Any, number: int, chosen: Chosen) -> Any:
    """A trial before *number* that chose the same."""
    return next(
        (each for each in study.trials if each.number < number and each.params == chosen), None
    )


def _suggested(trial: Any, each: Dimension) -> Any:
    if each.choices:
        return trial.suggest_categorical(each.name, list(each.choices))
    if isinstance(each.low, int) and isinstance(each.high, int):
        return trial.suggest_int(each.name, each.low, each.high, log=each.log)
    return trial.suggest_float(each.name, each.low, each.high, log=each.log)


def _word(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _shapes(model: Model) -> object:
    return [[tuple(t.shape[1:]) for t in side] for side in (model.inputs, model.outputs)]


def _costs(path: Path, tuning: Tuning) -> Iterator[tuple[str, float]]:
    """What is known of the model in a file: bytes, multiply-accumulates, arena (its low end)."""
    from pytest_edgebudget.devices.base import CannotTell
    from pytest_edgebudget.graph import read
    from pytest_edgebudget.graph.cost import layer_costs
    from pytest_edgebudget.graph.memory import PLANNED, plan
    from pytest_edgebudget.metrics.arena import read_arena

    graph = read(path)
    yield "size", float(graph.size)
    yield "macs", float(sum(cost.macs or 0 for cost in layer_costs(graph)))
    if tuning.planner in PLANNED:
        planned = plan(graph, tuning.planner, tuning.kernels)
        try:
            value = read_arena(PlanFacts(planned, tuning.planner, tuning.kernels), {})
        except CannotTell:
            return
        yield "arena", float(value.value if value.low is None else value.low)


def _split(data: Path | None, path: Path, seed: int) -> Path:
    """Data with a val split: its own, or the seeded *SHARE* of train."""
    if data is None:
        raise BuildError("tune trains models, but the model has no data", "add x_train, y_train")
    with np.load(data, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    if any(name.partition("/")[0] == "x_val" for name in arrays):
        return data
    train = [name for name in arrays if name.partition("/")[0] in ("x_train", "y_train")]
    if not train:
        raise BuildError("tune trains models, but the data have no x_train", "add x_train, y_train")
    count = len(arrays[train[0]])
    order = np.random.default_rng(seed).permutation(count)
    cut = max(1, int(count * SHARE))
    parts: dict[str, Array] = {}
    for name in train:
        parts[name] = arrays[name][order[cut:]]
        parts[name.replace("_train", "_val", 1)] = arrays[name][order[:cut]]
    np.savez(path, **parts)
    return path


def score(model: Model, data: Path, step: object) -> float:
    """
    How good *model* is on the val split; more is better.

    The share of right answers for classes and for 0 or 1; minus the mean squared error
    for values; the mean over several outputs.
    """
    import keras

    samples = read_samples(data, "val", model, step)
    wanted = targets(model, samples, step)
    inputs = as_given(model, samples.inputs)
    answers = keras.tree.flatten(model.predict(inputs, batch_size=256, verbose=0))
    scores = [
        _score(wanted[name], np.asarray(answer))
        for name, answer in zip(output_names(model), answers, strict=True)
    ]
    return float(np.mean(scores))


def _score(target: Target, answer: Array) -> float:
    if target.kind == "classes":
        return float((answer.argmax(axis=-1) == target.labels).mean())
    if target.kind == "chances":
        middle = 0.5 if target.activation == "sigmoid" else 0.0
        return float(((answer > middle) == (target.labels > 0.5)).mean())
    return -float(((answer - target.labels) ** 2).mean())
