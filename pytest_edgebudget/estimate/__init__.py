"""Latency and energy of devices that are not there, from published measurements."""

from pytest_edgebudget.estimate.core import POWER_DOMAIN as POWER_DOMAIN
from pytest_edgebudget.estimate.core import Estimate as Estimate
from pytest_edgebudget.estimate.core import OpTime as OpTime
from pytest_edgebudget.estimate.core import Range as Range
from pytest_edgebudget.estimate.core import estimate as estimate
