# The service as an image: the web server by default, every command of manage.py otherwise.
#
#   docker build --tag regulatory-cases .
#   docker run --rm --env-file .env regulatory-cases python manage.py migrate
#
# To build from the very same base every time, name it by its digest, which
# `docker buildx imagetools inspect python:3.13-slim-bookworm` prints:
#   docker build --build-arg BASE=python:3.13-slim-bookworm@sha256:… .
ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS build
WORKDIR /srv/cases
# Into an environment without pip: what installs is not installed.
RUN python -m venv --without-pip venv
COPY requirements.txt ./
# Wheels with known hashes only, so no compiler is needed and nothing else is run.
RUN python -m pip --python venv/bin/python install --no-cache-dir --disable-pip-version-check \
    --only-binary :all: --require-hashes -r requirements.txt
COPY manage.py gunicorn.conf.py ./
COPY audit audit
COPY cases cases
COPY config config
COPY outbox outbox
COPY templates templates
# Neither needs a secret, a database or the network.
RUN APP_ENV=production venv/bin/python manage.py collectstatic --noinput --verbosity 0 \
    && venv/bin/python -m compileall -q audit cases config outbox manage.py gunicorn.conf.py

FROM ${BASE}
WORKDIR /srv/cases
COPY --from=build /srv/cases /srv/cases
ENV APP_ENV=production \
    PATH=/srv/cases/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PORT=8000 \
    PYTHONUNBUFFERED=1 \
    WEB_CONCURRENCY=2
# Nobody in particular; it owns no file and writes nowhere but to /tmp and /dev/shm.
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-m", "config.probe"]
# On all addresses of the container, at PORT.
CMD ["python", "-m", "gunicorn"]
