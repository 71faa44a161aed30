"""
What accelerators, kernels and runtimes support: tables as data, one checker.

Each ``*.toml`` here names the operators that are supported, the conditions on
them, and the sources; `tables` reads them, `check` applies one to a model.
"""

from pytest_edgebudget.devices.constraints.check import Violation as Violation
from pytest_edgebudget.devices.constraints.check import refusals as refusals
from pytest_edgebudget.devices.constraints.check import violations as violations
from pytest_edgebudget.devices.constraints.tables import Table as Table
from pytest_edgebudget.devices.constraints.tables import accelerators as accelerators
from pytest_edgebudget.devices.constraints.tables import table_of as table_of
