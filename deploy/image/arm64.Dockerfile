# The self-contained program for arm64, compiled on another architecture. An arm64 machine needs
# none of this: `make static` and the ordinary Dockerfile work there.
#
#   docker build -f deploy/image/arm64.Dockerfile -t poolwarden-arm64 .
#   docker cp $(docker create poolwarden-arm64 none):/poolwarden .

FROM debian:bookworm-slim AS build
WORKDIR /source
COPY deploy/debian-packages deploy/install-packages deploy/build-prometheus-cpp deploy/
RUN dpkg --add-architecture arm64 \
    && deploy/install-packages static arm64 \
    && CXX=aarch64-linux-gnu-g++ deploy/build-prometheus-cpp build/static-deps-arm64
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY src src
ARG REVISION=unknown
RUN CCACHE_DISABLE=1 cmake --preset static-arm64 -DPOOLWARDEN_REVISION="$REVISION" \
    && CCACHE_DISABLE=1 cmake --build build/static-arm64 --target poolwarden

FROM scratch
COPY --from=build /source/build/static-arm64/poolwarden /poolwarden
