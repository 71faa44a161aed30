"""How pytest-xdist spreads a run: the limits of one model stay together."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling


class ModelScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """
    One model is one unit of work, every other test is one of its own.

    Only for speed: the cache's locks make one fit of it in any case.
    """

    def _split_scope(self, nodeid: str) -> str:
        file, _, rest = nodeid.partition("::")
        if file.endswith(".toml") and rest:
            return f"{file}::{rest.split('::')[0]}"
        return nodeid
