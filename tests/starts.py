"""Processes of the service that start fast: libraries are loaded once, each start is a fork.

What is ours is loaded in the fork, with the environment of that start alone, as in a process of its
own; nine tenths of the time that one takes are libraries.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parents[1]
OURS = {"audit", "cases", "config", "conftest", "outbox", "tests"}
# A library that cannot be loaded without settings is loaded by the forks.
WAITS = """
import atexit, contextlib, gc, importlib, json, os, runpy, sys, traceback

def run(command):
    sys.argv = command
    try:
        if command[0] == "-c":
            exec(compile(command[1], "<string>", "exec"), {"__name__": "__main__"})
        else:
            runpy.run_path(command[0], run_name="__main__")
    except SystemExit as end:
        if end.code is not None and not isinstance(end.code, int):
            print(end.code, file=sys.stderr)
            return 1
        return end.code or 0
    except BaseException:
        traceback.print_exc()
        return 1
    return 0

for name in json.loads(sys.stdin.readline()):
    with contextlib.suppress(Exception):
        importlib.import_module(name)
gc.freeze()
print("loaded", flush=True)
for line in sys.stdin:
    start = json.loads(line)
    if (child := os.fork()) == 0:
        for number, path in enumerate((os.devnull, start["out"], start["err"])):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
        os.environ.clear()
        os.environ.update(start["environment"])
        code = run(start["command"])
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # to take all libraries down would take longer than all else
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Ended(NamedTuple):
    """What came of a start."""

    returncode: int
    stdout: str
    stderr: str


class Starts:
    """Starts ``-c code`` or a script with its arguments, like ``manage.py check``."""

    def __init__(self, waiting: subprocess.Popen[str], folder: Path) -> None:
        self._waiting = waiting
        self._files = (folder / "out", folder / "err")

    def run(self, *command: str, environment: Mapping[str, str]) -> Ended:
        """Start it with this environment and no other variable, and wait for its end."""
        for file in self._files:
            file.write_text("")
        out, err = map(str, self._files)
        told = {"command": command, "environment": dict(environment), "out": out, "err": err}
        assert self._waiting.stdin is not None
        assert self._waiting.stdout is not None
        self._waiting.stdin.write(json.dumps(told) + "\n")
        self._waiting.stdin.flush()
        code = int(self._waiting.stdout.readline())
        return Ended(code, *(file.read_text() for file in self._files))


@contextmanager
def fast_starts() -> Iterator[Starts]:
    """Have a process that has loaded what the tests have, and forks for each start."""
    names = [name for name in sys.modules if name.partition(".")[0] not in OURS]
    # Else the libraries would find the settings of the tests, and keep them.
    without_settings = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [sys.executable, "-c", WAITS],
            cwd=PROJECT,
            env=without_settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as waiting,
    ):
        assert waiting.stdin is not None
        assert waiting.stdout is not None
        waiting.stdin.write(json.dumps(names) + "\n")
        waiting.stdin.flush()
        assert waiting.stdout.readline() == "loaded\n"
        yield Starts(waiting, Path(folder))
        waiting.stdin.close()
