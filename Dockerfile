# The image: Debian 12 and one self-contained program. docs/docker.md says how to use it.
#
#   docker build --build-arg REVISION=$(git rev-parse --short HEAD) -t poolwarden .
#   docker run -p 8080:8080 -p 9180:9180 poolwarden

FROM debian:bookworm-slim AS build
WORKDIR /source
# Packages come from deploy/debian-packages, as everywhere else.
COPY deploy/debian-packages deploy/install-packages deploy/build-prometheus-cpp deploy/
RUN deploy/install-packages build static && deploy/build-prometheus-cpp build/static-deps
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY src src
# Git's own directory stays outside: whoever builds says what is built.
ARG REVISION=unknown
RUN CCACHE_DISABLE=1 cmake --preset static -DPOOLWARDEN_REVISION="$REVISION" \
    && CCACHE_DISABLE=1 cmake --build build/static --target poolwarden

FROM debian:bookworm-slim
# For sockets, whoever runs it; a tmpfs in its place takes over this mode, and belongs to root.
RUN groupadd --gid 10001 poolwarden \
    && useradd --uid 10001 --gid poolwarden --home-dir /run/poolwarden --shell /usr/sbin/nologin \
       --no-create-home poolwarden \
    && install -d -m 1777 /run/poolwarden
COPY --from=build /source/build/static/poolwarden /usr/local/bin/poolwarden
COPY deploy/image/poolwarden.yaml /etc/poolwarden/poolwarden.yaml

# By number: Kubernetes' runAsNonRoot cannot tell from a name.
USER 10001:10001
EXPOSE 8080 9180
STOPSIGNAL SIGTERM
# A pool's first worker has 90 s to become ready (ready.timeout), and failing checks do not count
# until the start period is over; one that succeeds ends it. Rapid-fail turns the container unhealthy
# within 3 checks.
HEALTHCHECK --interval=10s --timeout=5s --start-period=100s --retries=3 \
    CMD ["poolwarden", "healthcheck"]
ENTRYPOINT ["poolwarden"]
CMD ["run"]

ARG REVISION=unknown
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Poolwarden" \
      org.opencontainers.image.description="Runs an HTTP application as pools of worker processes" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
