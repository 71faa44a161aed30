"""The main path: an optimized candidate keeps the budget, a tightened limit breaks it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.plugin.conftest import BUDGET, Runner


def test_a_budget_is_kept_by_the_candidate_that_fits(gate: Runner) -> None:
    result = gate("--edge-budget", "pi4.toml", "-v")

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        [
            "edge budget: pi4.toml: raspberry-pi-4, run host, 1 thread, *",
            "pi4.toml::digits::size PASSED*",
            "pi4.toml::digits::download_size PASSED*",
            "pi4.toml::digits::accuracy PASSED*",
            "digits: int8",
            "  size *75.1 KiB *23.7 KiB  <= 32.0 KiB *exact *kept",
            "*accuracy *98.89 % *98.52 %  >= 97.89 % drop *host *kept",
        ]
    )
    assert result.ret == pytest.ExitCode.OK


def test_the_float_model_breaks_what_the_candidate_keeps(gate: Runner) -> None:
    result = gate("--edge-budget", "pi4.toml", "--edge-budget-no-optimize")

    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*digits: size is broken: 75.1 KiB is 43.1 KiB (135 %) over*"])


def test_tightening_one_limit_turns_exactly_its_item_red(
    gate: Runner, write: Callable[[str], None]
) -> None:
    write(BUDGET.replace('"32 KiB"', '"16 KiB"'))
    result = gate("--edge-budget", "pi4.toml", "-v")

    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "pi4.toml::digits::size FAILED*",
            "digits: size is broken: 23.7 KiB is 7.73 KiB (48 %) over the limit of 16.0 KiB",
            "  pi4.toml:10, the closest candidate is int8, evidence exact, source model 75.1 KiB",
            "Where the size is:",
            "Candidates tried (selected on the val split):",
            "  none *75.1 KiB *breaks size, download_size",
            "  int8 *23.7 KiB *breaks size",
            "What would fix it:",
            "*limit of 23.7344 KiB in pi4.toml:10",
        ]
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_all_limits_choose_the_candidate_whichever_items_are_selected(gate: Runner) -> None:
    result = gate("--edge-budget", "pi4.toml", "-k", "accuracy", "-v")

    result.assert_outcomes(passed=1, deselected=2)
    result.stdout.fnmatch_lines(["digits: int8", "  accuracy *"])


def test_an_integer_recipe_that_wrecks_the_model_is_rejected_on_the_validation_split(
    gate: Runner, write: Callable[[str], None]
) -> None:
    write(BUDGET.replace('["none", "float16", "int8"]', '["prune(0.9)+int8", "int8"]'))
    result = gate("--edge-budget", "pi4.toml", "--edge-budget-report", "json:report.json")

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["digits: int8", "  size *"])


def test_a_waiver_a_warning_and_a_skip_do_not_fail_and_are_counted_apart(
    gate: Runner, write: Callable[[str], None]
) -> None:
    write(
        """\
[device]
profile = "raspberry-pi-4"
[models.digits]
path = "digits.tflite"
[models.digits.budget]
size = "16 KiB"
parameters = { max = 10, level = "warn" }
latency_p95 = { max = "1 ms", when_missing = "skip" }
[models.digits.waive.size]
reason = "new head, pruned in the next sprint"
until = 2999-01-31
"""
    )
    result = gate("--edge-budget", "pi4.toml", "-rA")

    result.stdout.fnmatch_lines(
        [
            "digits: none",
            "  size *waived",
            "*parameters *warned",
            "*latency_p95 *skipped",
            "*1 skipped, 1 waived, 1 warned*",
        ]
    )
    assert result.ret == pytest.ExitCode.OK


def test_an_expired_waiver_is_broken_again(gate: Runner, write: Callable[[str], None]) -> None:
    write(
        BUDGET.replace('"32 KiB"', '"1 KiB"')
        + '[models.digits.waive.size]\nreason = "late"\nuntil = 2026-01-01\n'
    )
    result = gate("--edge-budget", "pi4.toml")

    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*the waiver expired on 2026-01-01: late*"])


def test_latency_on_a_foreign_board_is_an_estimate_or_unmeasured_and_never_this_machines(
    gate: Runner, write: Callable[[str], None]
) -> None:
    write(BUDGET + 'latency = "80 ms"\nlatency_p95 = "80 ms"\nenergy = "1 J"\n')
    result = gate("--edge-budget", "pi4.toml")

    result.assert_outcomes(passed=4, failed=2)
    result.stdout.fnmatch_lines(
        [
            "digits: latency_p95 is unmeasured: needs the device: *",
            "digits: energy is unmeasured: *the power of raspberry-pi-4 was not published*",
            "  latency *(* - *) *<= 80.0 ms *estimated * kept",
            "    (estimated: Raspberry Pi 4B, *",
            "     *than any model seen: extrapolated)",
        ]
    )


def test_an_estimate_rejects_a_candidate_only_where_its_whole_band_does(
    gate: Runner, write: Callable[[str], None]
) -> None:
    write(
        BUDGET.replace("raspberry-pi-4", "stm32l4r5-tflm").replace('"32 KiB"', '"80 KiB"')
        + 'latency = "45 ms"\nenergy = "10 nJ"\n'
    )
    result = gate("--edge-budget", "pi4.toml", "--edge-budget-report", "json:report.json")

    result.stdout.fnmatch_lines(
        [
            "digits: energy is broken: *",
            "  *, evidence estimated*",
            "  *supply of the whole chip*NUCLEO-L4R5ZI, TFLM*models, median error*",
            "  none *breaks *energy*",
            "  latency *<= 45.0 ms *estimated * kept",
        ]
    )


def test_a_candidate_that_falls_off_the_accelerator_is_rejected_in_the_search(
    gate: Runner, write: Callable[[str], None]
) -> None:
    head, _, _ = BUDGET.partition("[models.digits.budget]")
    write(
        head.replace("raspberry-pi-4", "coral-usb-accelerator")
        + '[models.digits.budget]\ncpu_fallback = "20 %"\n'
    )
    result = gate("--edge-budget", "pi4.toml")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["digits: int8", "  cpu_fallback * kept"])


def test_joint_limits_sum_the_chosen_artifacts(gate: Runner, write: Callable[[str], None]) -> None:
    second = BUDGET.partition("[models.digits]")[2].replace("models.digits", "models.again")
    write(
        BUDGET
        + f"[models.again]{second}"
        + '[groups.both]\nmodels = ["digits", "again"]\nbudget = { size = "40 KiB" }\n'
    )
    result = gate("--edge-budget", "pi4.toml", "-v")

    result.assert_outcomes(passed=6, failed=1)
    result.stdout.fnmatch_lines(
        ["pi4.toml::both::size FAILED*", "both: size is broken: 47.5 KiB is 7.47 KiB (19 %) over*"]
    )


def test_the_closest_candidate_is_judged_by_all_limits_and_not_by_those_that_rejected_it(
    gate: Runner, write: Callable[[str], None]
) -> None:
    write(BUDGET.replace("[models.digits.budget]\n", '[models.digits.budget]\nram = "12 KiB"\n'))
    result = gate("--edge-budget", "pi4.toml")

    result.stdout.fnmatch_lines(["digits: ram is broken: *", "*, the closest candidate is int8, *"])
    result.stdout.no_fnmatch_line("*size is broken*")  # int8 keeps it; ram was seen of it alone
    result.stdout.fnmatch_lines(["*float16 *breaks size, download_size, ram", "*int8 *breaks ram"])


def test_a_wrecked_model_is_not_called_the_closest_candidate(
    gate: Runner, write: Callable[[str], None]
) -> None:
    text = BUDGET.replace('["none", "float16", "int8"]', '["int8", "prune(0.9)+int4_weights"]')
    write(text.replace('"32 KiB"', '"16 KiB"'))
    result = gate("--edge-budget", "pi4.toml")

    result.stdout.fnmatch_lines(["  pi4.toml:10, the closest candidate is int8, *"])
