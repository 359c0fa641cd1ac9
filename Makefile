# assist: one static binary. `make demo` shows it, `make test` proves it; both install what they need on Debian.

GO       ?= go
CORPUS   ?= $(abspath ../shared/corpus)
BIN      := bin/assist
TOOL     := $(GO) tool -modfile=.ci/tools.mod
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GOFILES   = $(shell git ls-files '*.go' | grep -v '\.pb\.go$$')
# What the desktop tests and the demo use; each package once, all from Debian.
DESKTOP  := xvfb xterm openbox x11-apps x11-utils x11-xserver-utils x11-xkb-utils xdotool xauth \
            fonts-dejavu-core fonts-noto-cjk fonts-noto-color-emoji
TESTDEB  := $(DESKTOP) asciinema xclip xdg-utils tmux vim htop chromium openssh-client openssh-server tcpdump procps postgresql iproute2 e2fsprogs util-linux systemd \
            kitty konsole dbus mlterm screen
BENCHDEB := $(DESKTOP) x11vnc ffmpeg timg chafa mpv tmux coturn

.PHONY: build check test unit desktop-test lab-test bench bench-raster bench-screen bench-relay bench-diag bench-fanout bench-lines bench-idle bench-load bench-fleet fuzz demo demo-desktop pictures proto deps-test deps-bench deps-demo format clean

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o $(BIN) ./cmd/assist

# Format, vet, staticcheck, unit tests: under a minute once the build cache is warm.
check: unit
	@out=$$($(TOOL) gofumpt -l $(GOFILES)); [ -z "$$out" ] || { echo "not formatted (make format):"; echo "$$out"; exit 1; }
	$(GO) vet ./...
	$(TOOL) staticcheck ./...

unit:
	$(GO) test ./...

# Everything: what check does, then real displays, real terminals and the built binary.
test: deps-test build check desktop-test lab-test

desktop-test: build
	$(GO) test -count=1 -p 1 -timeout 15m -tags desktop ./diag/probe ./screen/capture ./screen/inject ./screen/notice ./tui ./cmd/assist

# A hundred sessions of eight agents on bad paths, on virtual time; the database on a real PostgreSQL.
lab-test: build
	$(GO) test -count=1 -p 1 -timeout 15m -tags lab -run TestManySeeds ./session/sessiontest
	$(GO) test -count=1 -timeout 15m -tags lab -run TestPainterTenThousand ./tui
	$(GO) test -count=1 -p 1 -timeout 5m -tags lab ./session/broker/store

bench: bench-raster bench-screen bench-relay bench-fanout bench-lines bench-idle bench-console bench-load bench-fleet bench-diag

# The picture from display to bytes, on recordings and on a live desktop beside x11vnc. Fails over its targets.
bench-screen: deps-bench
	CORPUS=$(CORPUS) $(GO) test -tags lab -count=1 -v -timeout 15m -run TestCorpus ./screen/codec
	$(GO) test -tags lab -count=1 -v -timeout 15m -run 'TestBenchLive|TestBenchKeys' ./screen/capture

# The picture in the terminal: bytes and CPU of every mode, beside the programs that do the same, and of the whole console. Fails over
# its targets.
bench-raster: deps-bench
	CORPUS=$(CORPUS) $(GO) test -tags lab -count=1 -timeout 15m -run TestBenchRaster -v ./screen/raster
	CORPUS=$(CORPUS) $(GO) test -tags lab -count=1 -timeout 15m -run TestBenchProgram -v ./tui

# The relay beside coturn and plain UDP forwarders, with and without the kernel's GRO and GSO. Fails over its targets.
bench-relay: deps-bench
	$(GO) run -tags lab ./transport/transporttest/relaybench -check

# Whole sessions on thin lines, on lines that lose packets, and beside a file, on virtual time: what a person waits for; then the
# built binary on real thin lines (KEYS=200 types more). Fails over its targets.
bench-lines: deps-bench build
	CORPUS=$(CORPUS) $(GO) test -tags lab -count=1 -v -timeout 15m -run 'TestBenchLines|TestBenchLoss|TestBenchBeside|TestBenchFiles' ./session/sessiontest
	$(GO) test -tags 'desktop lab' -count=1 -v -timeout 15m -run 'TestBenchLinesBuilt|TestBenchFloodBuilt|TestBenchInterrupt|TestBenchThinnest' ./cmd/assist

# What the built host and console take in a minute in which nothing happens (FLAGS="--path relay" pins the path), and what travels.
bench-idle: deps-bench build
	$(GO) test -count=1 -v -run TestIdleIsFree ./session/sessiontest
	$(GO) test -tags 'desktop lab' -count=1 -v -timeout 10m -run TestBenchIdle ./cmd/assist

# Thousands of idle sessions on one relay: its memory and CPU, and how long until all are back after its kill -9. Then hundreds that are
# busy, and how old their updates come beside direct ones. LOAD_SESSIONS and ACTIVE_SESSIONS say how many. Fails over its targets.
bench-load: build
	$(GO) test -tags lab -count=1 -v -timeout 20m -run 'TestBenchManyIdleSessions|TestBenchManyActiveSessions' ./cmd/assist

# Three relays on a real PostgreSQL and its standby: a relay killed, drained, stopped, the database away for DATABASE_AWAY (make test
# does the same with 10 s). Fails over its targets.
DATABASE_AWAY ?= 60s
bench-fleet: deps-test build
	DATABASE_AWAY=$(DATABASE_AWAY) $(GO) test -tags desktop -count=1 -v -timeout 5m -run TestFleetOfThreeRelays ./cmd/assist

# Many agents on one session: what they cost the host, and what a frozen quarter costs the others. Fails over its targets.
bench-fanout: deps-bench build
	$(GO) run -tags lab ./cmd/assist/fanbench -program $(BIN) -check

# What a report and live values cost on this machine; prints it, and fails over nothing.
bench-diag: build
	$(GO) test -tags desktop -count=1 -v -run TestBenchReportAndLive ./diag/probe
	$(GO) test -tags desktop -count=1 -v -run TestBenchDiagFollowed ./cmd/assist

fuzz:
	@./.ci/fuzz $(FUZZTIME)

# A relay, a host and a console on this machine: with this display, or a terminal where there is none.
demo: build
	$(BIN) demo

demo-desktop: deps-demo build
	$(BIN) demo --desktop

proto:
	GOBIN=$(abspath bin) $(GO) install google.golang.org/protobuf/cmd/protoc-gen-go
	PATH=$(abspath bin):$$PATH protoc --go_out=. --go_opt=module=assist transport/wire/*.proto session/inner/*.proto

pictures: build
	@.ci/install $(DESKTOP) imagemagick tmux
	CORPUS=$(CORPUS) .ci/pictures

format:
	$(TOOL) gofumpt -w $(GOFILES)

deps-test: ; @.ci/install $(TESTDEB)
deps-bench: ; @.ci/install $(BENCHDEB)
# With a display to share the desktop demo needs nothing more than the binary.
deps-demo: ; @[ -n "$$DISPLAY" ] || .ci/install xvfb xterm openbox x11-apps x11-xserver-utils xauth fonts-dejavu-core

clean:
	rm -rf bin

# Text sessions. The programs that run in them:
TEXTDEB := xvfb xterm bash vim less htop procps mc tmux vttest
.PHONY: vt-compare bench-console deps-text deps-console
# The terminal emulator beside a real xterm, on programs recorded now; writes the table. Fails where a program's screen differs.
vt-compare: deps-text
	ASSIST_VT_TABLE=$(abspath docs/vt-compare.md) $(GO) test -tags desktop -count=1 -v -timeout 10m -run TestLikeXterm ./screen/console/vt

deps-text: ; @.ci/install $(TEXTDEB)

# Text sessions beside mosh and ssh, bytes on the same recordings in one run; a key to its cell, at rest and in a flood. Fails over
# its targets.
bench-console: deps-console
	$(GO) test -tags lab -count=1 -v -timeout 20m ./session/sessiontest/consolebench

deps-console: ; @.ci/install $(TEXTDEB) mosh openssh-server openssh-client

# The whole stack on bad lines, in network namespaces, as root; about 12 minutes. ROWS=keys,kill,roam,paths,partitions chooses,
# KEYS, KILLS, REBIND and AWAY make it longer: REBIND=5m AWAY=5s,20s,60s,10m.
.PHONY: lab deps-lab
LABDEB := iproute2 nftables conntrack mosh openssh-client openssh-server
ROWS   ?= keys,kill,roam,paths,partitions
KEYS   ?= 2000
KILLS  ?= 50
REBIND ?= 1m
AWAY   ?= 5s,20s,60s
lab: deps-lab build
	$(GO) test -count=1 -v -timeout 15m -tags lab -run 'TestKeysDoNotWaitForLoss|TestHostComesBackByItself' ./session/sessiontest
	$(GO) run -tags lab ./session/sessiontest/linklab -bin $(BIN) -out docs/links.md -rows $(ROWS) -keys $(KEYS) -kills $(KILLS) -rebind $(REBIND) -away $(AWAY)
deps-lab: ; @.ci/install $(LABDEB)
