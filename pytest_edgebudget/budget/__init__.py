"""
Budget files: TOML in, a frozen `Budget` out, or all mistakes at once.

`grammar` is the one table of keys; `tree` and `load` bring a file (and what
it extends) into a tree that knows its lines; `structure` checks the tree
against the grammar; `models`, `limits`, `groups`, `device` give it meaning.
"""

from pytest_edgebudget.budget.reader import read_budget as read_budget
from pytest_edgebudget.budget.recipes import parse_recipe as parse_recipe
