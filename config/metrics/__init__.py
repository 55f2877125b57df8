"""What Prometheus is told of the web server: by all of its processes together, as one."""

from typing import Final

from prometheus_client import CollectorRegistry

# What this process counts; where several count together, ``page`` reads the files of all of them.
registry: Final = CollectorRegistry()
