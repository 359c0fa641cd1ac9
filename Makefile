# assist: one static binary. `make demo` shows it, `make test` proves it; both install what they need on Debian.

GO       ?= go
CORPUS   ?= $(abspath ../shared/corpus)
BIN      := bin/assist
TOOL     := $(GO) tool -modfile=.ci/tools.mod
SUDO     := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GOFILES   = $(shell git ls-files '*.go' | grep -v '\.pb\.go$$')
# What the desktop tests and the demo use; each package once, all from Debian.
DESKTOP  := xvfb xterm openbox x11-apps x11-utils x11-xserver-utils x11-xkb-utils xdotool xauth \
            fonts-dejavu-core fonts-noto-cjk fonts-noto-color-emoji
TESTDEB  := $(DESKTOP) tmux chromium imagemagick openssh-client openssh-server iproute2 procps
BENCHDEB := $(TESTDEB) x11vnc ffmpeg

.PHONY: build check test unit desktop-test lab-test bench bench-screen bench-relay fuzz demo pictures proto deps-test deps-bench deps-demo format clean

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o $(BIN) ./cmd/assist

# Format, vet, staticcheck, unit tests: under a minute once the build cache is warm.
check: unit
	@out=$$($(TOOL) gofumpt -l $(GOFILES)); [ -z "$$out" ] || { echo "not formatted (make format):"; echo "$$out"; exit 1; }
	$(GO) vet ./...
	$(TOOL) staticcheck ./...

unit:
	$(GO) test ./...

# Everything: what check does, then real displays, terminals, network namespaces and the built binary.
test: deps-test build check desktop-test lab-test

desktop-test: build
	$(GO) test -count=1 -p 1 -timeout 15m -tags desktop $(shell $(GO) list -f '{{if .TestGoFiles}}{{.ImportPath}}{{else if .XTestGoFiles}}{{.ImportPath}}{{end}}' -tags desktop ./screen/... ./tui/... ./cmd/...)

lab-test: build
	$(GO) test -count=1 -p 1 -timeout 15m -tags lab ./transport/... ./session/...

bench: bench-screen bench-relay

fuzz:
	@./.ci/fuzz $(FUZZTIME)

demo: deps-demo build
	$(BIN) demo

proto:
	GOBIN=$(abspath bin) $(GO) install google.golang.org/protobuf/cmd/protoc-gen-go
	PATH=$(abspath bin):$$PATH protoc --go_out=. --go_opt=module=assist transport/wire/outer.proto session/inner/inner.proto

pictures: build
	.ci/pictures

format:
	$(TOOL) gofumpt -w $(GOFILES)

deps-test: ; @.ci/install $(TESTDEB)
deps-bench: ; @.ci/install $(BENCHDEB)
# With a display to share the demo needs nothing more than the binary.
deps-demo: ; @[ -n "$$DISPLAY" ] || .ci/install xvfb xterm openbox x11-apps x11-xserver-utils xauth fonts-dejavu-core

clean:
	rm -rf bin
