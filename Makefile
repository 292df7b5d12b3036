# The two commands of the README: `make demo` shows the main job, `make test`
# proves it. Both set up what they need (ci/setup).

GO ?= go
export GOFLAGS ?= -trimpath

.PHONY: demo test lint build plugins cross generate clean

demo: plugins
	$(GO) build -o bin/quickstart ./examples/quickstart
	$(GO) build -o bin/demo ./examples/demo
	./bin/demo

# Plugins are static, without cgo: they start fastest so, and run anywhere.
plugins:
	mkdir -p bin/msalext-plugins
	CGO_ENABLED=0 $(GO) build -o bin/msalext-plugins/ ./plugins/...

test: setup
	ci/test

lint: setup
	ci/lint

build:
	$(GO) build ./...

# What the README promises to build on, with cgo off.
cross:
	ci/cross

# Regenerates the code of the plugin protocol (needs protoc).
generate:
	ci/generate

setup:
	ci/setup

clean:
	rm -rf bin .cache
