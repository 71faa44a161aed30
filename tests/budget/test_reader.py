"""A right budget file becomes a Budget."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pytest_edgebudget.errors import Place
from pytest_edgebudget.types import (
    Better,
    Budget,
    DeviceChoice,
    Evidence,
    FunctionRef,
    GroupBudget,
    Limit,
    ModelBudget,
    OwnMetric,
    Profile,
    Recipe,
    Step,
    Tolerance,
    Waiver,
)
from tests.budget.project import Project

FILE = Path("budgets/pi4.toml")
RUN = (Evidence.MEASURED, Evidence.EMULATED, Evidence.HOST)


def test_a_whole_budget_file_is_read(project: Project) -> None:
    budget = project.read(
        """
        [device]
        profile = "raspberry-pi-4"
        threads = 2
        runtime = "tflite-runtime"

        [models.keywords]
        path = "../keywords.tflite"
        data = "../data.npz"
        optimize = ["none", "prune(0.3)+int8"]
        state = "carried"

        [models.keywords.budget]
        size = "64 KiB"
        ram = { max = "256 KiB", max_regression = "2%", min_change = "1 KiB" }
        accuracy = { min = 0.90, max_drop = "1 pp" }
        wer = { max = 0.2, level = "warn" }

        [models.keywords.waive.size]
        reason = "new wake word"
        until = 2027-01-31

        [models.keywords.metrics.wer]
        function = "speech.scores:wer"
        better = "lower"

        [models."net-2.1"]
        path = "models.net:build"
        budget.macs = "2.5 M"

        [groups.firmware]
        models = ["keywords", "net-2.1"]
        budget = { size = "512 KiB" }
        """
    )

    def place(line: int, key: str) -> Place:
        return Place(FILE, line, key)

    assert budget == Budget(
        path=project.root / FILE,
        device=DeviceChoice(
            profile=Profile(
                name="raspberry-pi-4",
                title="Raspberry Pi 4",
                runtimes=("litert", "tflite-runtime"),
                cores=4,
                ram=4 * 2**30,
            ),
            run="host",
            threads=2,
            runtime="tflite-runtime",
        ),
        models=(
            ModelBudget(
                name="keywords",
                source=project.root / "keywords.tflite",
                data=project.root / "data.npz",
                optimize=(
                    Recipe((Step("none"),)),
                    Recipe((Step("prune", (0.3,)), Step("int8"))),
                ),
                limits=(
                    Limit(
                        metric="size",
                        max=65536,
                        evidence=(Evidence.EXACT,),
                        place=place(14, "models.keywords.budget.size"),
                    ),
                    Limit(
                        metric="ram",
                        max=262144,
                        max_regression=Tolerance(0.02, relative=True),
                        min_change=Tolerance(1024, relative=False),
                        evidence=RUN,
                        place=place(15, "models.keywords.budget.ram"),
                    ),
                    Limit(
                        metric="accuracy",
                        min=0.9,
                        max_drop=Tolerance(0.01, relative=False),
                        evidence=RUN,
                        place=place(16, "models.keywords.budget.accuracy"),
                    ),
                    Limit(
                        metric="wer",
                        max=0.2,
                        level="warn",
                        evidence=RUN,
                        place=place(17, "models.keywords.budget.wer"),
                    ),
                ),
                waivers=(
                    Waiver(
                        "size",
                        "new wake word",
                        date(2027, 1, 31),
                        place(19, "models.keywords.waive.size"),
                    ),
                ),
                own_metrics=(
                    OwnMetric(
                        "wer",
                        FunctionRef("speech.scores", "wer"),
                        Better.LOWER,
                        place(23, "models.keywords.metrics.wer"),
                    ),
                ),
                state="carried",
                place=place(7, "models.keywords"),
            ),
            ModelBudget(
                name="net-2.1",
                source=FunctionRef("models.net", "build"),
                limits=(
                    Limit(
                        metric="macs",
                        max=2500000,
                        evidence=(Evidence.EXACT,),
                        place=place(29, 'models."net-2.1".budget.macs'),
                    ),
                ),
                place=place(27, 'models."net-2.1"'),
            ),
        ),
        groups=(
            GroupBudget(
                name="firmware",
                models=("keywords", "net-2.1"),
                limits=(
                    Limit(
                        metric="size",
                        max=524288,
                        evidence=(Evidence.EXACT,),
                        place=place(33, "groups.firmware.budget.size"),
                    ),
                ),
                place=place(31, "groups.firmware"),
            ),
        ),
    )


def test_without_a_device_table_the_device_is_the_host(project: Project) -> None:
    device = project.limits('size = "64 KiB"').device

    assert (device.profile.name, device.run, device.threads) == ("host", "host", 1)


def test_the_short_form_is_a_minimum_where_more_is_better(project: Project) -> None:
    accuracy, mae = project.limits("accuracy = 0.9\nmae = 0.5").models[0].limits

    assert (accuracy.min, accuracy.max) == (0.9, None)
    assert (mae.min, mae.max) == (None, 0.5)


def test_slices_add_the_worst_slice_as_a_limit_of_its_own(project: Project) -> None:
    whole, worst = (
        project.limits(
            'accuracy = { min = 0.9, max_drop = "1 pp", slices = "speaker", slices_min = 0.8 }'
        )
        .models[0]
        .limits
    )

    assert (whole.name, whole.min, whole.options) == ("accuracy", 0.9, ())
    assert (worst.name, worst.min) == ("accuracy[speaker]", 0.8)
    assert worst.options == (("slices", "speaker"),)
    assert worst.max_drop == whole.max_drop == Tolerance(0.01, relative=False)


def test_slices_keep_the_bounds_when_they_have_none_of_their_own(project: Project) -> None:
    whole, worst = project.limits('mae = { max = 0.3, slices = "room" }').models[0].limits

    assert whole.max == worst.max == 0.3


def test_a_limit_carries_the_options_of_its_metric(project: Project) -> None:
    (limit,) = project.limits('top_k = { min = "90 %", average = "micro", k = 3 }').models[0].limits

    assert limit.options == (("k", 3), ("average", "micro"))


def test_defaults_apply_to_limits_that_do_not_say_otherwise(project: Project) -> None:
    ram, size = (
        project.limits(
            """
        ram = "1 MiB"
        size = { max = "64 KiB", level = "error", max_regression = "1 KiB" }
        [defaults]
        level = "warn"
        undecided = "fail"
        when_missing = "skip"
        max_regression = "2%"
        min_change = "0.5%"
        confidence = "95 %"
        """
        )
        .models[0]
        .limits
    )

    assert (ram.level, ram.undecided, ram.when_missing, ram.confidence) == (
        "warn",
        "fail",
        "skip",
        0.95,
    )
    assert ram.max_regression == Tolerance(0.02, relative=True)
    assert ram.min_change == Tolerance(0.005, relative=True)
    assert size.level == "error"
    assert size.max_regression == Tolerance(1024, relative=False)
    assert size.confidence is None  # an exact number has no interval


def test_evidence_may_be_chosen(project: Project) -> None:
    (limit,) = project.limits('latency = { max = "8 ms", evidence = ["host"] }').models[0].limits

    assert limit.evidence == (Evidence.HOST,)


def test_a_waiver_may_name_the_worst_slice(project: Project) -> None:
    model = project.limits(
        """
        accuracy = { min = 0.9, slices = "speaker" }
        [models.k.waive."accuracy[speaker]"]
        reason = "one microphone is broken"
        until = 2020-01-31
        """
    ).models[0]

    assert [waiver.metric for waiver in model.waivers] == ["accuracy[speaker]"]


def test_a_profile_may_be_a_file_of_ones_own(project: Project) -> None:
    project.write("devices/camera.toml", 'title = "a camera"\nruntimes = ["onnxruntime"]\n')
    text = project.model('size = "1 MiB"') + '[device]\nprofile = "../devices/camera.toml"'

    assert project.read(text).device.profile.name == "camera"


def test_a_python_of_its_own_is_relative_to_the_file_that_names_it(project: Project) -> None:
    python = project.write("venv/bin/python", "#!/bin/sh\n")
    python.chmod(0o755)
    text = project.model('size = "1 MiB"') + '[device]\npython = "../venv/bin/python"'

    assert project.read(text).device.python == str(python)


def test_a_group_may_limit_models_that_have_no_limits_of_their_own(project: Project) -> None:
    budget = project.read(
        """
        models.a.path = "../keywords.tflite"
        models.b.path = "../net.onnx"
        [groups.all]
        models = ["a", "b"]
        budget.size = "1 MiB"
        """
    )

    assert [model.name for model in budget.models] == ["a", "b"]
    assert budget.groups[0].limits[0].max == 2**20


def test_a_saved_model_folder_is_a_model(project: Project) -> None:
    project.write("saved/saved_model.pb", b"\x08\x01")
    budget = project.read('models.s = { path = "../saved", budget.size = "1 MiB" }')

    assert budget.models[0].source == project.root / "saved"


def test_windows_line_ends_and_a_byte_order_mark_are_read(project: Project) -> None:
    text = project.model('size = "64 KiB"').replace("\n", "\r\n")

    assert project.read(b"\xef\xbb\xbf" + text.encode()).models[0].limits[0].place.line == 5


def test_limits_of_what_only_informs_are_warnings(project: Project) -> None:
    limits = '[models.m]\npath = "pkg:make"\n[models.m.budget]\nactivation_plan = "1 KiB"\n'
    (limit,) = project.read(limits).models[0].limits
    assert (limit.metric, limit.level) == ("activation_plan", "warn")
