# The HTTP server in a container that may not write. From a checkout:
#   make wheel && docker build --tag sentiment-edge .
#   docker run --init --read-only --cap-drop ALL --publish 8000:8000 sentiment-edge
# With a bundle of your own, and any option of `sentiment-edge serve`:
#   docker run ... --volume ./electra-large-int8:/bundle:ro sentiment-edge /bundle --threads 2
# The port in the container stays 8000, where the health check asks: for port 80 outside, --publish 80:8000, not --port.
# `make container` runs these steps without docker, in a Debian system in a folder.

FROM python:3.13-slim-trixie AS build
COPY constraints.txt dist/*.whl /wheels/
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --constraint /wheels/constraints.txt "$(echo /wheels/*.whl)[serve]" \
 && /venv/bin/pip uninstall --yes pip

FROM python:3.13-slim-trixie
COPY --from=build /venv /venv
ENV PATH=/venv/bin:/usr/local/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "from http.client import HTTPConnection as C; c = C('127.0.0.1', 8000, timeout=4); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["sentiment-edge", "serve", "--host", "0.0.0.0", "--port", "8000"]
