# `make demo` and `make test` are all that a fresh Debian 12 machine needs; both install what is
# missing and share one build tree. `make help` lists the rest.

.DEFAULT_GOAL := help
JOBS ?= $(shell nproc)
SOURCES = $(shell find src tests -name '*.h' -o -name '*.cpp')

.PHONY: help build static demo test e2e machine bench format lint check-format asan tsan fuzz clean
.PHONY: deps deps-build deps-static deps-test deps-lint deps-e2e deps-deep

help:  ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*##\(.*\)/make \1 \t\2/p' $(MAKEFILE_LIST) | expand -t 20

build: deps-build  ## the optimized program, at build/poolwarden
	cmake --preset release
	cmake --build build/release --target poolwarden --parallel $(JOBS)
	ln -sfn release/poolwarden build/poolwarden

static: deps-static  ## the program in one file that needs no library, at build/static/poolwarden
	deploy/build-prometheus-cpp build/static-deps
	cmake --preset static
	cmake --build build/static --target poolwarden --parallel $(JOBS)

demo: build  ## the program with its built-in sample workers; Ctrl-C ends it
	build/poolwarden demo

test: deps-test build  ## every test: units, real processes, and stories of the whole program
	cmake --build build/release --parallel $(JOBS)
	tests/run build/release

e2e: deps-e2e  ## containers, Prometheus, Alertmanager, systemd, Swarm: the real ones; as root
	tests/run --e2e

machine: deps-e2e build  ## containment on the kernel of a virtual machine, all of it cgroup v2
	cmake --build build/release --target integration_cgroup integration_process --parallel $(JOBS)
	tests/run --machine build/release

bench: deps-test build  ## a million requests while workers are replaced all the time: none is lost
	cmake --build build/release --target poolwarden hammer worker_ledger --parallel $(JOBS)
	tests/bench/recycle_storm.py build/release/poolwarden
	tests/bench/recycle_storm.py build/release/poolwarden --mixed 60

asan: deps-deep  ## the tests under AddressSanitizer and UndefinedBehaviorSanitizer
	cmake --preset asan
	cmake --build build/asan --parallel $(JOBS)
	tests/run build/asan $(RUN)

tsan: deps-deep  ## the tests under ThreadSanitizer
	cmake --preset tsan
	cmake --build build/tsan --parallel $(JOBS) --target $(or $(TARGET),all)
	tests/run build/tsan $(RUN)

fuzz: deps-deep  ## made-up input for everything that reads bytes from outside, 30 s for each reader
	cmake --preset fuzz
	cmake --build build/fuzz --parallel $(JOBS)
	tests/fuzz/run build/fuzz $(RUN)

format: deps-lint  ## lays out the sources
	clang-format -i $(SOURCES)

check-format: deps-lint  ## whether the sources are laid out
	clang-format --dry-run -Werror $(SOURCES)

lint: check-format deps-test  ## layout, and clang-tidy over the sources
	@# clang-tidy cannot read the precompiled headers of g++
	cmake --preset dev -B build/lint -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON
	run-clang-tidy -quiet -j $(JOBS) -p build/lint "$(CURDIR)/src/.*"

deps: deps-test deps-static deps-lint deps-deep  ## every Debian package that any of these needs

deps-build:
	@deploy/install-packages build run

deps-static:
	@deploy/install-packages build static

deps-test:
	@deploy/install-packages build run test

deps-lint:
	@deploy/install-packages build run lint

deps-e2e:
	@deploy/install-packages build run test e2e

deps-deep:
	@deploy/install-packages build run test deep

clean:  ## removes what was built
	rm -rf build
