"""Reports: whole outputs, and JSON that its schema describes."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import jsonschema

from pytest_edgebudget.report import json as json_report
from pytest_edgebudget.report import markdown, schema, terminal
from pytest_edgebudget.report.base import LimitRow, ModelRow, Run, from_plain
from pytest_edgebudget.report.message import broken_text

MESSAGE = """\
digits: size is broken: 38.4 KiB is 6.40 KiB (20 %) over the limit of 32.0 KiB
  budgets/pi4.toml:14, the closest candidate is float16, evidence exact, source model 75.1 KiB

Where the size is:
  dense  FULLY_CONNECTED  20.0 KiB  52 %
  conv   CONV_2D          9.00 KiB  23 %

Candidates tried (selected on the val split):
                size      accuracy
  none          75.1 KiB  98.90 %   breaks size
  float16       38.4 KiB  98.90 %   breaks size
  int4_weights  18.0 KiB  91.40 %   breaks accuracy

What would fix it:
  - optimize = [..., "int8"]: integer weights and activations, about a quarter of the float bytes
  - optimize = [..., "dynamic_int8"]: integer weights, float activations, about a third of the \
float bytes
  - int4_weights reached 18.0 KiB, but broke accuracy
  - a smaller dense (FULLY_CONNECTED): it holds 52 % of the size
  - if the cost is meant: a limit of 38.4 KiB in budgets/pi4.toml:14
  - for a while: [models.digits.waive.size] with a reason and a date"""


def test_a_broken_limit_says_by_how_much_which_layer_and_what_would_fix_it(
    size: LimitRow, model: ModelRow
) -> None:
    assert broken_text(size, model) == MESSAGE


def test_recipes_that_the_device_does_not_run_are_no_advice(
    size: LimitRow, model: ModelRow
) -> None:
    text = broken_text(size, replace(model, recipes=("int16x8", "int8")))
    assert '"int8"]' in text
    assert "dynamic_int8" not in text


TABLE = """\
budgets/pi4.toml: raspberry-pi-4, run host, 1 thread, litert 2.3.0
model         before                          after  limit        headroom  evidence  verdict
digits: float16
  size      75.1 KiB                       38.4 KiB  <= 32.0 KiB     -20 %  exact     broken
  accuracy         -                        98.50 %  >= 96.00 %   +2.50 pp  exact     kept
  ram              -  1.00 MiB (977 KiB - 1.05 MiB)  <= 1023 KiB       0 %  host      undecided
  macs             -                         2.00 M  <= 1.00 M      -100 %  exact     waived
gestures
  size                                                                                ERROR
"""


def test_the_table_has_one_line_a_limit(run: Run) -> None:
    assert terminal.table(run, colour=False) == TABLE


def test_the_json_report_is_what_its_schema_says(run: Run) -> None:
    report = json.loads(json_report.render(run))

    jsonschema.validate(report, schema.schema(), jsonschema.Draft202012Validator)
    assert [error["id"] for error in report["errors"]] == ["budgets/pi4.toml::gestures::size"]
    assert "artifact" not in report["models"][0]


def test_the_committed_schema_is_fresh() -> None:
    assert schema.FILE.read_text("utf-8") == schema.render()


def test_rows_survive_the_way_between_processes(run: Run) -> None:
    assert from_plain(Run, json.loads(json.dumps(asdict(run)))) == run


def test_markdown_escapes_names_that_would_be_markup(run: Run) -> None:
    text = markdown.render(run)

    assert (
        "| digits: float16 | size | 75.1 KiB | 38.4 KiB | at most 32.0 KiB | -20 % | exact | **broken** |"
        in text
    )
    assert "int4\\_weights" in text
    assert "**error** budgets/pi4.toml::gestures::size: the worker was killed" in text
