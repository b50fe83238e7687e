# The only door. What each target does is in tools/; CMake presets stand behind it.
.DEFAULT_GOAL := help
.PHONY: help build run fleet test check bench fmt fmt-check lint

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

build:  ## build/release/bin/parley (installs what is missing)
	@tools/build.sh

run: build  ## build, then serve in the foreground on http://127.0.0.1:8080
	@exec build/release/bin/parley serve

fleet:  ## two servers behind HAProxy with Kafka, PostgreSQL and Redis, on http://127.0.0.1:8080; KAFKA=no: without Kafka
	@exec tools/fleet.sh

test:  ## everything CI runs, 25 minutes with a warm ccache
	@tools/test.sh

check:  ## the long tier: fuzz 60 s a target and its coverage, 30 kills, 10 million messages
	@PARLEY_TIER=check tools/test.sh

bench:  ## fan-out, memory and durable rate beside the bare limit, NATS, RabbitMQ, Spring: 45 minutes; BENCH="--quick" 10; BENCH=transports 10; BENCH=buses 5
	@tools/bench.sh $(BENCH)

fmt:  ## format every C++ file
	@tools/fmt.sh

fmt-check:  ## fail where fmt would change something
	@tools/fmt.sh --check

lint:  ## clang-tidy on what differs from the main branch; FILES=… for others, FILES=all for all
	@tools/lint.sh $(FILES)
