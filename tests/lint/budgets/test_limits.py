"""Limits that nothing can break, or that are far away."""

from __future__ import annotations

import pytest

from tests.lint.budgets.texts import DEVICE, HEAD, Find


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("accuracy = 0", "never fails: no reading is below 0.00 %"),
        ('accuracy = { min = "0 %", max_drop = "100 pp" }', "never fails: no reading is below"),
        ("cosine = -1.0", "never fails: no reading is below -1"),
        ('f1 = { max_drop = "100 pp" }', "never fails: max_drop allows to lose everything"),
        ("auc = 0.5", "says nothing: a model that throws a coin has 50 %, and 50.00 % is asked"),
        ("accuracy = { max = 1.0 }", "never fails: no reading is above 100.00 %"),
        ('size = "9 KiB"\ndownload_size = "16 KiB"', "never fails while size is kept: compressing"),
    ],
)
def test_a_limit_that_can_never_fail_is_found(find: Find, limit: str, message: str) -> None:
    (found,) = find("EB103", HEAD + limit + "\n")

    assert found.message.startswith(message)
    assert found.line >= 7


@pytest.mark.parametrize(
    ("latency", "p95", "count"),
    [("20 ms", "15 ms", 1), ("10 ms", "15 ms", 0), ("15 ms", "15 ms", 1)],
)
def test_a_median_above_the_limit_of_its_95th_percentile_is_found(
    find: Find, latency: str, p95: str, count: int
) -> None:
    text = HEAD.replace("raspberry-pi-4", "host")

    found = find("EB103", f'{text}latency = "{latency}"\nlatency_p95 = "{p95}"\n')

    assert [each.message for each in found] == [
        "never fails while latency_p95 is kept: it is never above"
    ] * count


@pytest.mark.parametrize(("joint", "count"), [("40 KiB", 1), ("32 KiB", 1), ("31 KiB", 0)])
def test_a_joint_limit_that_the_models_limits_imply_is_found(
    find: Find, joint: str, count: int
) -> None:
    other = HEAD.removeprefix(DEVICE).replace("digits]", "b]").replace("digits.budget", "b.budget")
    text = HEAD + 'size = "20 KiB"\n' + other + 'size = "12 KiB"\n'
    group = f'[groups.both]\nmodels = ["digits", "b"]\nbudget = {{ size = "{joint}" }}\n'

    found = find("EB103", text + group)

    assert [each.where for each in found] == ["groups.both.budget.size"] * count
    assert all("they allow 32.0 KiB together" in each.message for each in found)


@pytest.mark.parametrize(
    "limit",
    [
        'accuracy = { min = 0, max_drop = "1 pp" }',
        "accuracy = { min = 0.001 }",
        "auc = 0.51",
        'mae = { max = 42.0, max_drop = "100%" }',
        'size = { max = "64 KiB", max_regression = "100%" }',
        'size = "16 KiB"\ndownload_size = "12 KiB"',
    ],
)
def test_a_limit_that_can_fail_is_none(find: Find, limit: str) -> None:
    assert find("EB103", HEAD + limit + "\n") == []


@pytest.mark.parametrize(
    ("limit", "messages"),
    [
        ('size = "64 MiB"', ["64.0 MiB is 873 times the 75.1 KiB of the source model"]),
        ('size = "80 KiB"', []),
        ('size = { max = "64 MiB", max_regression = "2 %" }', []),
    ],
)
def test_a_size_limit_far_above_the_source_is_found(
    find: Find, limit: str, messages: list[str]
) -> None:
    assert [each.message for each in find("EB104", HEAD + limit + "\n")] == messages
