"""From a source and a recipe to an artifact in the cache, its promises checked."""

from pytest_edgebudget.build.recipes import build as build
from pytest_edgebudget.build.sources import source_artifact as source_artifact
