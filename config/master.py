"""What the web server's master does before it stops and reloads: see ``prepare``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from config import handover

_STOPS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
_LOOK: Final = 0.1  # seconds


def prepare(server: Any) -> None:
    """Let gunicorn's master tell its workers of a stop, and reload only what can be loaded."""
    server.stop = handover.announcing(server.stop)
    server.reload = _Reload(server, server.reload)


class _Reload:
    """gunicorn's reload, which a mistake in the settings does not turn into a stop.

    gunicorn ends, workers and all, when what it reloads does not load. And while it waits for the
    old workers to end, for minutes where one of them writes an export, it looks at no signal.
    """

    def __init__(self, server: Any, reload: Callable[[], None]) -> None:
        self._server, self._reload = server, reload
        self._told_to_stop = False
        for number in _STOPS:
            signal.signal(number, self._note)

    def __call__(self) -> None:
        """Reload, unless that cannot be loaded; be ended by a signal to stop."""
        loads = self._loads()
        if self._told_to_stop:
            return  # the signal is in gunicorn's queue
        if not loads:
            self._server.log.error("Not reloaded: what stands there now does not load.")
            return
        self._server.reap_workers = self._reap
        try:
            self._reload()
        finally:
            del self._server.reap_workers

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._told_to_stop = True
        self._server.signal(number, frame)

    def _reap(self) -> None:
        """Do what gunicorn does in each round of its waiting."""
        if self._told_to_stop:
            raise StopIteration  # as gunicorn's own handler of SIGTERM
        type(self._server).reap_workers(self._server)

    def _loads(self) -> bool:
        """Load settings and program in a process of its own; that says itself what is wrong."""
        command = [sys.executable, "-m", "gunicorn", *sys.argv[1:], "--check-config"]
        with (
            tempfile.TemporaryDirectory() as folder,  # for what it would leave behind
            subprocess.Popen(command, env={**os.environ, "TMPDIR": folder}) as tried,  # noqa: S603 (our own command line)
        ):
            while tried.poll() is None:
                if self._told_to_stop:
                    tried.kill()
                time.sleep(_LOOK)
        return tried.returncode == 0
