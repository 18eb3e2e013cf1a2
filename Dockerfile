# The program on Debian 12. Packages come from deploy/debian-packages, as everywhere else.
#
#   docker build -t poolwarden .
#   docker run -p 8080:8080 -p 9180:9180 -v ./poolwarden.yaml:/etc/poolwarden/poolwarden.yaml poolwarden

FROM debian:bookworm-slim AS build
WORKDIR /source
COPY deploy/debian-packages deploy/install-packages deploy/
RUN deploy/install-packages build run
COPY CMakeLists.txt CMakePresets.json ./
COPY src src
COPY tests tests
RUN cmake --preset release && cmake --build build/release --target poolwarden

FROM debian:bookworm-slim
COPY deploy/debian-packages deploy/install-packages /tmp/deploy/
RUN /tmp/deploy/install-packages run \
    && rm -rf /tmp/deploy /var/lib/apt/lists/* \
    && useradd --system --home-dir /run/poolwarden poolwarden \
    && install -d -o poolwarden -g poolwarden /run/poolwarden /etc/poolwarden
COPY --from=build /source/build/release/poolwarden /usr/local/bin/poolwarden
USER poolwarden
EXPOSE 8080 9180
STOPSIGNAL SIGTERM
ENTRYPOINT ["poolwarden"]
CMD ["run"]
