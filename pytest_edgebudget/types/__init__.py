"""
The words of the field, as frozen values without I/O.

Inside, everything is SI and plain numbers: bytes, seconds, joules, fractions.
Words, KiB and ms exist only in `units` and in reports.
"""

from pytest_edgebudget.types.budgets import LINT as LINT
from pytest_edgebudget.types.budgets import Budget as Budget
from pytest_edgebudget.types.budgets import DeviceChoice as DeviceChoice
from pytest_edgebudget.types.budgets import Dimension as Dimension
from pytest_edgebudget.types.budgets import FitChoice as FitChoice
from pytest_edgebudget.types.budgets import FunctionRef as FunctionRef
from pytest_edgebudget.types.budgets import GroupBudget as GroupBudget
from pytest_edgebudget.types.budgets import Limit as Limit
from pytest_edgebudget.types.budgets import LintChoice as LintChoice
from pytest_edgebudget.types.budgets import ModelBudget as ModelBudget
from pytest_edgebudget.types.budgets import OwnMetric as OwnMetric
from pytest_edgebudget.types.budgets import Profile as Profile
from pytest_edgebudget.types.budgets import Published as Published
from pytest_edgebudget.types.budgets import Region as Region
from pytest_edgebudget.types.budgets import Source as Source
from pytest_edgebudget.types.budgets import Tolerance as Tolerance
from pytest_edgebudget.types.budgets import Tuning as Tuning
from pytest_edgebudget.types.budgets import Waiver as Waiver
from pytest_edgebudget.types.calibrations import Calibration as Calibration
from pytest_edgebudget.types.calibrations import KindCosts as KindCosts
from pytest_edgebudget.types.calibrations import Tile as Tile
from pytest_edgebudget.types.readings import Better as Better
from pytest_edgebudget.types.readings import Drop as Drop
from pytest_edgebudget.types.readings import Evidence as Evidence
from pytest_edgebudget.types.readings import Key as Key
from pytest_edgebudget.types.readings import Layer as Layer
from pytest_edgebudget.types.readings import Measurement as Measurement
from pytest_edgebudget.types.readings import Missing as Missing
from pytest_edgebudget.types.readings import Outcome as Outcome
from pytest_edgebudget.types.readings import Reading as Reading
from pytest_edgebudget.types.readings import Unit as Unit
from pytest_edgebudget.types.recipes import AS_IT_IS as AS_IT_IS
from pytest_edgebudget.types.recipes import Recipe as Recipe
from pytest_edgebudget.types.recipes import Step as Step
from pytest_edgebudget.types.verdicts import Artifact as Artifact
from pytest_edgebudget.types.verdicts import Bound as Bound
from pytest_edgebudget.types.verdicts import Trial as Trial
from pytest_edgebudget.types.verdicts import Verdict as Verdict
