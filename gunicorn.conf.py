"""What gunicorn runs the service with, unless its command line says otherwise."""

import gc
import select
import sys
from typing import Any

_loaded = {*sys.modules}
from config import counting, handover, master  # noqa: E402 (what it brings along is looked at below)
from config.variables import WrongSettings  # noqa: E402 (as above)

try:
    from config.environment import DRAIN_SECONDS, KEEP_ALIVE_SECONDS, STOP_SECONDS
except WrongSettings as error:
    sys.stderr.write(f"{error}\n")
    sys.exit(4)
# The master keeps nothing of what it has read here. Its workers read anew, so that after a reload
# (SIGHUP) they have what stands in the files of secrets and of the program then.
for _name in {*sys.modules} - _loaded:
    if _name.startswith("config.") and _name != handover.__name__:
        del sys.modules[_name]

wsgi_app = "config.wsgi:application"
# Two threads a worker: more of them wait for the interpreter rather than for the database.
threads = 2
worker_class = "config.server.Worker" if hasattr(select, "epoll") else "gthread"
# The filters of a list may all be given, with long words in them.
limit_request_line = 8190
control_socket_disable = True
# Only Django looks at what proxies say, and only where TRUST_X_FORWARDED_PROTO allows it.
forwarded_allow_ips = ""
keepalive = KEEP_ALIVE_SECONDS
handover.drain_seconds = DRAIN_SECONDS
graceful_timeout = DRAIN_SECONDS + STOP_SECONDS


def when_ready(server: Any) -> None:
    """Let the master stop and reload with care."""
    master.prepare(server)


# Before anything of the service is loaded, wherever gunicorn does that.
counting.begin()


def child_exit(server: object, worker: Any) -> None:
    """Let what a worker had at its end, like connections, end with it."""
    del server
    counting.forget(worker.pid)


def on_exit(server: object) -> None:
    """Remove the folder in which the workers counted."""
    del server
    counting.end()


def post_worker_init(worker: object) -> None:
    """Leave what a worker has loaded out of all further collections of garbage.

    A request leaves hardly any cycles behind; looking for them took a tenth of a list's time.

    Between two waits a request computes for about a millisecond. A thread that would take the
    interpreter from it, which Python offers after 5 ms of a clock that also runs while other
    processes have the processor, costs both of them more than it gains.
    """
    del worker
    sys.setswitchinterval(0.02)
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
