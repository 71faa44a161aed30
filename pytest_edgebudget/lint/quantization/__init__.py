"""Rules over quantization, EB3xx. One rule a file; this table names them all."""

from pytest_edgebudget.lint.base import Rule
from pytest_edgebudget.lint.quantization.asymmetric_weights import RULE as ASYMMETRIC_WEIGHTS
from pytest_edgebudget.lint.quantization.bias_scale import RULE as BIAS_SCALE
from pytest_edgebudget.lint.quantization.broken_scale import RULE as BROKEN_SCALE
from pytest_edgebudget.lint.quantization.cancelling_quantize import RULE as CANCELLING_QUANTIZE
from pytest_edgebudget.lint.quantization.collapsed_range import RULE as COLLAPSED_RANGE
from pytest_edgebudget.lint.quantization.dense_zeros import RULE as DENSE_ZEROS
from pytest_edgebudget.lint.quantization.float_ends import RULE as FLOAT_ENDS
from pytest_edgebudget.lint.quantization.float_ops import RULE as FLOAT_OPS
from pytest_edgebudget.lint.quantization.int16_activations import RULE as INT16_ACTIVATIONS
from pytest_edgebudget.lint.quantization.mislabelled_float import RULE as MISLABELLED_FLOAT
from pytest_edgebudget.lint.quantization.no_op_requantize import RULE as NO_OP_REQUANTIZE
from pytest_edgebudget.lint.quantization.per_tensor_weights import RULE as PER_TENSOR_WEIGHTS
from pytest_edgebudget.lint.quantization.saturated_weights import RULE as SATURATED_WEIGHTS
from pytest_edgebudget.lint.quantization.tiny_range import RULE as TINY_RANGE
from pytest_edgebudget.lint.quantization.uint8_arithmetic import RULE as UINT8_ARITHMETIC

RULES: tuple[Rule, ...] = (
    FLOAT_OPS,
    CANCELLING_QUANTIZE,
    NO_OP_REQUANTIZE,
    PER_TENSOR_WEIGHTS,
    FLOAT_ENDS,
    BROKEN_SCALE,
    COLLAPSED_RANGE,
    INT16_ACTIVATIONS,
    MISLABELLED_FLOAT,
    DENSE_ZEROS,
    ASYMMETRIC_WEIGHTS,
    UINT8_ARITHMETIC,
    BIAS_SCALE,
    SATURATED_WEIGHTS,
    TINY_RANGE,
)
