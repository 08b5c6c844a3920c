# syntax=docker/dockerfile:1
# What every node of a Ray cluster needs for `minihost run … --workers ray://…`. From the root of a checkout:
#   docker build -f deploy/ray.Dockerfile -t registry.example.org/vision-ray .
# Ray and Python must be those of the machine that starts the run; so must the project.

FROM rayproject/ray:2.60.0-py311
COPY --chown=ray:users . /tmp/source
RUN pip install --no-cache-dir "/tmp/source/mini-host[ray,remote]" "/tmp/source[ray,imagenet]" && rm -rf /tmp/source
