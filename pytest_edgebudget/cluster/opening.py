"""The team that a user asked for."""

from __future__ import annotations

from concurrent.futures import Executor

from pytest_edgebudget.cluster.processes import Processes
from pytest_edgebudget.cluster.team import Given, Team
from pytest_edgebudget.errors import EdgeBudgetError


def open_team(*, cluster: str, workers: int, executor: Executor | None = None) -> Team | None:
    """
    A *cluster*, so many *workers* here, or an *executor*; None where nobody was asked.

    Raises:
        EdgeBudgetError: both a cluster and workers are asked for.
        MissingExtra, DeviceError: the cluster cannot be had.
    """
    if cluster and workers:
        raise EdgeBudgetError(
            "both a cluster and workers of this machine are asked for", "choose one of them"
        )
    if cluster:
        from pytest_edgebudget.cluster.scheduler import Cluster

        return Cluster(cluster)
    if workers > 1:
        return Given(Processes(workers))
    return Given(executor) if executor is not None else None
