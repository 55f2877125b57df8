"""What gunicorn runs the service with, unless its command line says otherwise."""

import gc
import select

wsgi_app = "config.wsgi:application"
# Two threads a worker: more of them wait for the interpreter rather than for the database.
threads = 2
worker_class = "config.server.Worker" if hasattr(select, "epoll") else "gthread"
# The filters of a list may all be given, with long words in them.
limit_request_line = 8190
control_socket_disable = True


def post_worker_init(worker: object) -> None:
    """Leave what a worker has loaded out of all further collections of garbage.

    A request leaves hardly any cycles behind; looking for them took a tenth of a list's time.
    """
    del worker
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
