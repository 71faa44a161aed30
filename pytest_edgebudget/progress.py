"""What is being done, on the terminal's current line, while it takes long."""

from __future__ import annotations

from typing import Any

import pytest

SAVE, CLEAR, RESTORE = "\x1b[s", "\x1b[K", "\x1b[u"


class Progress:
    """
    Writes behind pytest's own progress and takes it back again.

    Silent when the output is not a terminal, and in xdist's workers.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self._dirty = False

    def say(self, text: str) -> None:
        """Show *text* until something else is written."""
        reporter = self._reporter()
        if reporter is None:
            return
        room = reporter._tw.fullwidth - reporter._tw.width_of_current_line - 2
        self._write(f"{SAVE} {text[: max(room, 0)]}{CLEAR}{RESTORE}")
        self._dirty = True

    def clear(self) -> None:
        """Take the text back."""
        if self._dirty and self._reporter() is not None:
            self._write(CLEAR)
        self._dirty = False

    def _reporter(self) -> Any:
        reporter = self.config.pluginmanager.getplugin("terminalreporter")
        return (
            reporter
            if reporter is not None and reporter._tw.hasmarkup and reporter.isatty
            else None
        )

    def _write(self, text: str) -> None:
        capture = self.config.pluginmanager.getplugin("capturemanager")
        file = self._reporter()._tw._file
        if capture is None:
            file.write(text)
            file.flush()
            return
        with capture.global_and_fixture_disabled():
            file.write(text)
            file.flush()
