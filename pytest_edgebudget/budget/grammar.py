"""
The grammar of budget files: every key, once.

The reader checks files against this table; the JSON Schema and the table in
the docs are generated from it. In a path, NAME stands for a name of the
user's, METRIC for a metric, LIMIT for the place of a limit (see `Kind.LIMIT`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from pytest_edgebudget.types import Evidence

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
FREE = ("NAME", "METRIC")
"""The words in a path that stand for any name."""


class Kind(StrEnum):
    """What a value looks like in TOML; the value is how a message says it."""

    TABLE = "a table"
    TEXT = "a string"
    TEXTS = "a list of strings"
    ONE_OR_MORE = "a string or a list of strings"
    CHOICE = "one of a few words"
    BOOLEAN = "true or false"
    INTEGER = "a whole number"
    NUMBER = "a number"
    DATE = "a date without quotes, such as 2027-01-31"
    BOUND = "a quantity with its unit"
    TOLERANCE = 'a percentage such as "2%", or a quantity'
    PROBABILITY = 'a number between 0.5 and 1, or "95 %"'
    SPACE = "a range [low, high], a list of choices, or {low, high, log}"
    LIMIT = "a quantity, or a table of bounds"


@dataclass(frozen=True, slots=True)
class Key:
    """
    One key.

    *path* is dotted; *help* is one sentence; *example* is TOML, the value only.
    """

    path: str
    kind: Kind
    help: str
    example: str = ""
    choices: tuple[str, ...] = ()
    required: bool = False
    default: str = ""

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]

    @property
    def table(self) -> str:
        """The path of the table that the key is in; "" at the top."""
        return self.path.rpartition(".")[0]


OBJECTIVES = ("size", "download_size", "arena", "ram", "latency", "accuracy")
"""What a search may be best at; accuracy stands for the model's first metric of quality."""

_LEVEL = ("error", "warn")
_UNDECIDED = ("pass", "fail")
_MISSING = ("fail", "skip")
_HELP_LEVEL = "`warn`: a broken limit is shown and does not fail."
_HELP_UNDECIDED = "What a reading too noisy to decide does."
_HELP_MISSING = "What a limit that cannot be measured does."
_HELP_REGRESSION = "How much worse than the locked reading it may be."
_HELP_CHANGE = "A regression smaller than this is none."
_HELP_ANCHOR = (
    "A git reference that `max_regression` holds against, too: many small regressions add up."
)
_HELP_RATCHET = (
    "No worse than the lock's reading, at the worse end of its interval; a better one breaks the "
    "limit until it is written into the lock."
)
_HELP_CONFIDENCE = "Judge the interval at this confidence instead of the value."

KEYS: tuple[Key, ...] = (
    Key(
        "extends",
        Kind.ONE_OR_MORE,
        "Budget files whose tables are merged under this one; the later one wins. "
        "A path is relative to the file that it is written in. A model that is written there "
        "only, and that has no limit, is not part of this budget.",
        '"models.toml"',
    ),
    Key("device", Kind.TABLE, "The device that the models must fit."),
    Key(
        "device.profile",
        Kind.TEXT,
        "A profile by name, or the path of a profile of yours.",
        '"raspberry-pi-4"',
        default="host",
    ),
    Key(
        "device.run",
        Kind.TEXT,
        "How models run for this device: a way that `edgebudget devices` lists, such as `host` "
        "(this machine), `emulate`, `ssh://user@host`, or `static` (none runs).",
        '"ssh://pi@pi4.local"',
        default="the profile's",
    ),
    Key(
        "device.threads",
        Kind.INTEGER,
        "Threads of the runtime; at most the device's cores.",
        "1",
        default="1",
    ),
    Key(
        "device.runtime",
        Kind.TEXT,
        "One of the profile's runtimes or alternatives.",
        '"tflite-runtime"',
        default="the profile's for the model's format",
    ),
    Key(
        "device.python",
        Kind.TEXT,
        "The Python interpreter of another environment that runs the models; on a device with "
        "an address, one over there.",
        '"../.venv-pi/bin/python"',
        default="the one that runs pytest",
    ),
    Key(
        "device.delegate",
        Kind.TEXT,
        "What runs `.tflite` models beside the CPU: `gpu` (LiteRT's own), or the library of an "
        "external delegate, as a path or as the system's loader finds it.",
        '"gpu"',
        default="the CPU alone",
    ),
    Key(
        "device.provider",
        Kind.TEXT,
        "What runs `.onnx` models beside the CPU: an execution provider of ONNX Runtime, such as "
        "`CUDA`, `TensorRT`, `OpenVINO`, `WebGPU`, `QNN`, `CoreML`, `DirectML`.",
        '"TensorRT"',
        default="the CPU alone",
    ),
    Key(
        "device.options",
        Kind.TABLE,
        "Options of the delegate or of the provider, as its documentation names them.",
    ),
    Key("device.options.NAME", Kind.TEXT, "One option, as a string.", '"true"'),
    Key(
        "device.samples",
        Kind.INTEGER,
        "Run so many samples there, evenly spread over the split: where the device is slow. "
        "The interval of what is read of them is wider.",
        "200",
        default="all",
    ),
    Key(
        "device.sustained",
        Kind.TEXT,
        "Load the device for so long before anything is timed, so that it is as warm as in use.",
        '"5 min"',
        default="no load",
    ),
    Key(
        "device.benchmark",
        Kind.TEXT,
        "For `adb://`: LiteRT's `benchmark_model`, built for the phone. It is copied there, and "
        "times models on phones that have no Python.",
        '"../tools/benchmark_model"',
    ),
    Key(
        "device.energy_command",
        Kind.TEXTS,
        "A program and its arguments that run where the models run, for a meter that is not "
        "found by itself. Its last line is joules of a counter, `12.5 J`, or watts of this "
        "moment, `2.31 W`.",
        '["./meter", "--joules"]',
    ),
    Key("defaults", Kind.TABLE, "Settings of all limits that do not say otherwise."),
    Key("defaults.level", Kind.CHOICE, _HELP_LEVEL, '"warn"', _LEVEL, default="error"),
    Key("defaults.undecided", Kind.CHOICE, _HELP_UNDECIDED, '"fail"', _UNDECIDED, default="pass"),
    Key("defaults.when_missing", Kind.CHOICE, _HELP_MISSING, '"skip"', _MISSING, default="fail"),
    Key("defaults.max_regression", Kind.TOLERANCE, f"{_HELP_REGRESSION} Relative only.", '"2%"'),
    Key("defaults.min_change", Kind.TOLERANCE, f"{_HELP_CHANGE} Relative only.", '"0.5%"'),
    Key("defaults.anchor", Kind.TEXT, _HELP_ANCHOR, '"v1.2"'),
    Key("defaults.ratchet", Kind.BOOLEAN, _HELP_RATCHET, "true", default="false"),
    Key("defaults.confidence", Kind.PROBABILITY, _HELP_CONFIDENCE, "0.95"),
    Key("lint", Kind.TABLE, "What the linter's findings do in the gate: an item for each model."),
    Key(
        "lint.level",
        Kind.CHOICE,
        "`error`: findings of that severity fail; `warn`: none fails; `off`: no item.",
        '"warn"',
        ("error", "warn", "off"),
        default="error",
    ),
    Key("lint.select", Kind.TEXTS, "Only these rules, by code or its beginning.", '["EB3"]'),
    Key("lint.ignore", Kind.TEXTS, "Not these rules, by code or its beginning.", '["EB203"]'),
    Key("models", Kind.TABLE, "The models, by name (letters, digits, _ . -)."),
    Key("models.NAME", Kind.TABLE, "One model: what it is, and what it may cost."),
    Key(
        "models.NAME.path",
        Kind.TEXT,
        "A `.tflite`, `.onnx`, `.keras` or `.h5` file, a SavedModel folder, "
        "or `package.module:function` that returns a model.",
        '"../models/keywords.tflite"',
        required=True,
    ),
    Key(
        "models.NAME.data",
        Kind.TEXT,
        "An `.npz` file with `x_test`, `y_test`, `x_calibration`, `x_val` ..., "
        "or `package.module:function` that returns these arrays. A sample has the input's shape; "
        "axes of 1 may be left out, and one flat axis stands for all. NaN reach the model.",
        '"../data/keywords.npz"',
    ),
    Key(
        "models.NAME.optimize",
        Kind.ONE_OR_MORE,
        "Recipes, tried in this order until all limits are kept; or `fit`: they are searched for.",
        '["none", "float16", "prune(0.3)+int8"]',
        default="the model as it is",
    ),
    Key("models.NAME.fit", Kind.TABLE, 'How `optimize = "fit"` searches.'),
    Key(
        "models.NAME.fit.objective",
        Kind.CHOICE,
        "What to be best at, of all candidates that keep every limit.",
        '"size"',
        OBJECTIVES,
        default="the first candidate that keeps them, least harm first",
    ),
    Key(
        "models.NAME.fit.max_trials",
        Kind.INTEGER,
        "So many candidates are built at most.",
        "20",
        default="60",
    ),
    Key(
        "models.NAME.fit.max_time",
        Kind.TEXT,
        "After so long no other candidate is begun.",
        '"10 min"',
        default="no end",
    ),
    Key(
        "models.NAME.fit.train",
        Kind.BOOLEAN,
        "Whether passes that train may be tried when the others do not suffice.",
        "false",
        default="true",
    ),
    Key(
        "models.NAME.tune",
        Kind.TABLE,
        "What the step `tune` chooses, by the name of a keyword of the function in `path`; "
        "`learning_rate`, `epochs` and `batch_size` go to the training.",
    ),
    Key(
        "models.NAME.tune.NAME",
        Kind.SPACE,
        "Two numbers are a range, of whole numbers where both are; other lists are choices.",
        "[8, 64]",
    ),
    Key(
        "models.NAME.state",
        Kind.CHOICE,
        "Whether a stateful model's state is reset between samples, or carried.",
        '"carried"',
        ("reset", "carried"),
        default="reset",
    ),
    Key("models.NAME.budget", Kind.TABLE, "The limits, by metric."),
    Key(
        "models.NAME.budget.METRIC",
        Kind.LIMIT,
        "One limit. Short form: the maximum, or the minimum of a metric where more is better.",
        '"64 KiB"',
    ),
    Key("models.NAME.waive", Kind.TABLE, "Limits knowingly broken for a while, by metric."),
    Key("models.NAME.waive.METRIC", Kind.TABLE, "One waiver."),
    Key(
        "models.NAME.waive.METRIC.reason",
        Kind.TEXT,
        "Why.",
        '"new wake word, pruned next month"',
        required=True,
    ),
    Key(
        "models.NAME.waive.METRIC.until",
        Kind.DATE,
        "The last day on which the limit may be broken.",
        "2027-01-31",
        required=True,
    ),
    Key("models.NAME.metrics", Kind.TABLE, "Quality metrics of your own, by name."),
    Key("models.NAME.metrics.NAME", Kind.TABLE, "One metric, used in limits by its name."),
    Key(
        "models.NAME.metrics.NAME.function",
        Kind.TEXT,
        "`package.module:function`, called as `function(outputs, labels, inputs)`: arrays whose "
        "first axis is the samples (dicts by name where there are several; labels may be None). "
        "It returns a number.",
        '"mypackage.scores:word_error_rate"',
        required=True,
    ),
    Key(
        "models.NAME.metrics.NAME.better",
        Kind.CHOICE,
        "The direction in which it improves.",
        '"lower"',
        ("lower", "higher"),
        required=True,
    ),
    Key("groups", Kind.TABLE, "Joint limits of models that share a device, by name."),
    Key("groups.NAME", Kind.TABLE, "One group."),
    Key(
        "groups.NAME.models",
        Kind.TEXTS,
        "The names of its models.",
        '["keywords", "gestures"]',
        required=True,
    ),
    Key("groups.NAME.budget", Kind.TABLE, "Limits of the sum over the models.", required=True),
    Key(
        "groups.NAME.budget.METRIC",
        Kind.LIMIT,
        "One limit of a metric that can be summed; a maximum only.",
        '"512 KiB"',
    ),
    Key("LIMIT.max", Kind.BOUND, "The value may not be above this.", '"256 KiB"'),
    Key("LIMIT.min", Kind.BOUND, "The value may not be below this.", "0.90"),
    Key(
        "LIMIT.max_drop",
        Kind.TOLERANCE,
        "How much worse than the source model on the same samples it may be.",
        '"1 pp"',
    ),
    Key("LIMIT.max_regression", Kind.TOLERANCE, _HELP_REGRESSION, '"2%"'),
    Key("LIMIT.min_change", Kind.TOLERANCE, _HELP_CHANGE, '"1 KiB"'),
    Key("LIMIT.anchor", Kind.TEXT, _HELP_ANCHOR, '"v1.2"'),
    Key("LIMIT.ratchet", Kind.BOOLEAN, _HELP_RATCHET, "true", default="false"),
    Key(
        "LIMIT.evidence",
        Kind.TEXTS,
        "Which evidence counts.",
        '["measured", "estimated"]',
        tuple(Evidence),
        default="the metric's",
    ),
    Key("LIMIT.level", Kind.CHOICE, _HELP_LEVEL, '"warn"', _LEVEL, default="error"),
    Key("LIMIT.undecided", Kind.CHOICE, _HELP_UNDECIDED, '"fail"', _UNDECIDED, default="pass"),
    Key("LIMIT.when_missing", Kind.CHOICE, _HELP_MISSING, '"skip"', _MISSING, default="fail"),
    Key("LIMIT.confidence", Kind.PROBABILITY, _HELP_CONFIDENCE, "0.95"),
    Key(
        "LIMIT.slices",
        Kind.TEXT,
        "An array of the data (`speaker` for `speaker_test`): the worst slice is a limit of "
        "its own with the same bounds.",
        '"speaker"',
    ),
    Key("LIMIT.slices_max", Kind.BOUND, "The worst slice's `max`, when another.", "0.3"),
    Key("LIMIT.slices_min", Kind.BOUND, "The worst slice's `min`, when another.", "0.80"),
)


@cache
def children(table: str) -> dict[str, Key]:
    """The keys directly in the table at the path *table*, by their last name."""
    return {key.name: key for key in KEYS if key.table == table}
