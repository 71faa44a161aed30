"""`.tflite` and `.onnx`, read without a framework into one immutable Graph."""

from pytest_edgebudget.graph.files import read as read
from pytest_edgebudget.graph.ir import Graph as Graph
