"""The program behind ``tests.starts``: it has loaded all libraries, and forks for each start.

It has the one end of a pair of sockets. First it is told names of modules, then of each start its
command, environment and folder, together with what is to be its standard input, output and error,
and with a pipe: into that go the number of the process, and at its end its exit code.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
import tempfile
import threading
import traceback
from types import ModuleType
from typing import Any

LONGEST = 1 << 20  # bytes of a message
STREAMS = 4
# The pipe of each process that runs.
running: dict[int, int] = {}


def serve(told: socket.socket) -> None:
    """Fork for each message until nobody is there any more to send one."""
    for name in json.loads(told.recv(LONGEST)):
        # One that needs settings is loaded by the forks, which have some.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, bury)
    told.send(b"loaded")
    while True:
        message, streams, _, _ = socket.recv_fds(told, LONGEST, STREAMS)
        if not message:
            return
        # Nobody is buried before it is known where to tell of it.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        if (pid := os.fork()) == 0:
            told.close()
            become(json.loads(message), streams)
        *own, pipe = streams
        for stream in own:
            os.close(stream)
        running[pid] = pipe
        os.write(pipe, f"{pid}\n".encode())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})


def bury(*_: object) -> None:
    """Tell the exit code of each process that has ended: of one that was killed, the signal."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            pipe = running.pop(ended[0])
            with contextlib.suppress(BrokenPipeError):  # who asked is gone
                os.write(pipe, f"{os.waitstatus_to_exitcode(ended[1])}\n".encode())
            os.close(pipe)


def become(start: dict[str, Any], streams: list[int]) -> None:
    """Be the process that was asked for, to its end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    for place, stream in enumerate(streams[:-1]):
        os.dup2(stream, place)
    for stream in (*streams, *running.values()):
        os.close(stream)
    os.environ.clear()
    os.environ.update(start["environment"])
    os.chdir(start["folder"])
    tempfile.tempdir = None  # it was found by another environment
    code = run(start["command"])
    threading._shutdown()  # type: ignore[attr-defined] # as the interpreter does
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BrokenPipeError):
            stream.flush()
    os._exit(code)  # to take all libraries down would take longer than all else


def run(command: list[str]) -> int:
    """Run ``-c code``, ``-m module`` or a script as the interpreter does; return its exit code."""
    what, *rest = command
    sys.argv, sys.path[0] = command, ""
    try:
        if what == "-c":
            main = sys.modules["__main__"] = ModuleType("__main__")
            sys.argv = ["-c", *rest[1:]]
            exec(compile(rest[0], "<string>", "exec"), main.__dict__)
        elif what == "-m":
            sys.argv = rest
            runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        else:
            sys.path[0] = os.path.dirname(os.path.abspath(what))  # noqa: PTH100, PTH120 (as there)
            runpy.run_path(what, run_name="__main__")
    except SystemExit as end:
        if end.code is not None and not isinstance(end.code, int):
            sys.stderr.write(f"{end.code}\n")
            return 1
        return end.code or 0
    except BaseException:  # noqa: BLE001 (told, and the end of it)
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    sys.path[0] = ""  # what stands beside this file is not to be found by its name alone
    with socket.socket(fileno=int(sys.argv[1])) as one_end:
        serve(one_end)
