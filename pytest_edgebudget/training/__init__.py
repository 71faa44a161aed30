"""
Training of Keras models: runs only in child processes, and only on train data.

TensorFlow and Keras are imported inside functions; the package itself is light.
"""

from pytest_edgebudget.training.settings import Settings as Settings
from pytest_edgebudget.training.settings import epochs_of as epochs_of
from pytest_edgebudget.training.settings import parameters as parameters
from pytest_edgebudget.training.settings import settings_of as settings_of
