# The two commands of the README: `make demo` shows the main job, `make test`
# proves it, after ci/setup has installed what the race detector needs.

GO ?= go
BIN ?= bin
# No version from git: it refuses where the checkout belongs to somebody else.
export GOFLAGS ?= -trimpath -buildvcs=false

.PHONY: demo test interop libsecret redis chaos wine e2e oidc-provider python-plugin docs lint bench build plugins cross generate setup clean

demo: plugins
	$(GO) build -o "$(BIN)/quickstart" ./examples/quickstart
	$(GO) build -o "$(BIN)/demo" ./examples/demo
	"$(BIN)/demo"

# Plugins are static, without cgo: they start fastest so, and run anywhere.
plugins:
	mkdir -p "$(BIN)/msalext-plugins"
	CGO_ENABLED=0 $(GO) build -o "$(BIN)/msalext-plugins/" ./plugins/...

test: setup
	ci/test
	ci/libsecret/run -short
	ci/redis/run -short
	ci/interop/run -short
	ci/chaos/run -short
	ci/wine/run -short
	ci/oidc-provider/run
	ci/e2e/run -short
	ci/python-plugin/run
	ci/docs/run
	ci/features/run

# The long forms of what `make test` runs shortly: beside the MSAL libraries of
# other languages, with real and hostile keyrings, on Redis, under kill -9 and failing
# disks, and as Windows programs.
interop: setup
	ci/interop/run

libsecret: setup
	ci/libsecret/run

redis: setup
	ci/redis/run

chaos: setup
	ci/chaos/run

wine: setup
	ci/wine/run

# The example web app with a real browser, and in a crowd while servers die
# (needs Chromium).
e2e: setup
	ci/e2e/run

# MSAL and msalext against an OpenID provider that nobody here wrote (needs npm).
oidc-provider: setup
	ci/oidc-provider/run

# A plugin in another language, judged by the kit (needs Python).
python-plugin: setup
	ci/python-plugin/run

# Does what the documents tell, as a stranger (needs root, to be another user).
docs: setup
	ci/docs/run

lint: setup
	ci/lint

# Speed beside the peers, as ratios within one run (Linux; needs Python).
bench:
	ci/bench/run

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
