"""Rules over what a runtime supports, EB5xx. One rule a file; this table names them all."""

from pytest_edgebudget.lint.base import Rule
from pytest_edgebudget.lint.runtimes.contradicting_shapes import RULE as CONTRADICTING_SHAPES
from pytest_edgebudget.lint.runtimes.custom_op import RULE as CUSTOM_OP
from pytest_edgebudget.lint.runtimes.invalid_quantized_dimension import RULE as INVALID_DIMENSION
from pytest_edgebudget.lint.runtimes.misread_op import RULE as MISREAD_OP
from pytest_edgebudget.lint.runtimes.missing_signature import RULE as MISSING_SIGNATURE
from pytest_edgebudget.lint.runtimes.op_of_other_runtime import RULE as OP_OF_OTHER_RUNTIME
from pytest_edgebudget.lint.runtimes.op_outside_opset import RULE as OP_OUTSIDE_OPSET
from pytest_edgebudget.lint.runtimes.other_ending import RULE as OTHER_ENDING
from pytest_edgebudget.lint.runtimes.select_tf_op import RULE as SELECT_TF_OP
from pytest_edgebudget.lint.runtimes.sparse_integer_weights import RULE as SPARSE_INTEGER_WEIGHTS
from pytest_edgebudget.lint.runtimes.understated_version import RULE as UNDERSTATED_VERSION
from pytest_edgebudget.lint.runtimes.unknown_attribute import RULE as UNKNOWN_ATTRIBUTE
from pytest_edgebudget.lint.runtimes.unknown_op import RULE as UNKNOWN_OP
from pytest_edgebudget.lint.runtimes.unknown_opset import RULE as UNKNOWN_OPSET
from pytest_edgebudget.lint.runtimes.unknown_tensor_type import RULE as UNKNOWN_TENSOR_TYPE
from pytest_edgebudget.lint.runtimes.value_made_twice import RULE as VALUE_MADE_TWICE

RULES: tuple[Rule, ...] = (
    UNKNOWN_OP,
    OP_OF_OTHER_RUNTIME,
    UNDERSTATED_VERSION,
    MISREAD_OP,
    UNKNOWN_TENSOR_TYPE,
    SPARSE_INTEGER_WEIGHTS,
    INVALID_DIMENSION,
    MISSING_SIGNATURE,
    UNKNOWN_OPSET,
    CUSTOM_OP,
    SELECT_TF_OP,
    OP_OUTSIDE_OPSET,
    UNKNOWN_ATTRIBUTE,
    VALUE_MADE_TWICE,
    CONTRADICTING_SHAPES,
    OTHER_ENDING,
)
