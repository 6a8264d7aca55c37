# rtfm's targets; "make help" tells what each does.

.DEFAULT_GOAL := build
.PHONY: help build man install check test race long fuzz bench angel-bench live-bench trace-bench store-bench store-find-bench home-bench lint tools clean

# The binary is static: nothing uses cgo, but for the race detector itself.
export CGO_ENABLED = 0
# How long "make fuzz" runs each fuzz target.
FUZZTIME ?= 20s
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.1
# Programs that tests use, and a folder, each with the Debian packages that it takes.
# A * stands for any version.
TOOLS = bzip2=bzip2 capinfos=wireshark-common editcap=wireshark-common chromium=chromium clickhouse-server=clickhouse-server ethtool=ethtool /usr/lib/postgresql/*/bin/initdb=postgresql ip=iproute2 ipfixDump=libfixbuf-tools java=default-jre-headless jq=jq kcat=kcat keepalived=keepalived /usr/lib/python3/dist-packages/pandas=python3-pandas make=make mandoc=mandoc fsfreeze=util-linux gcc=gcc,libc6-dev node=nodejs npm=npm smilint=smitools smidump=smitools snmpd=snmpd snmpget=snmp snmptranslate=snmp snmptrapd=snmptrapd nfacctd=pmacct nfcapd=nfdump nfdump=nfdump nft=nftables nvim=neovim nfreplay=nfdump prometheus=prometheus prometheus-snmp-exporter=prometheus-snmp-exporter promtool=prometheus python3=python3 softflowd=softflowd sqlite3=sqlite3 ss=iproute2 tc=iproute2 tmux=tmux /usr/share/zookeeper=zookeeper traceanon=libtrace-tools tshark=tshark taskset=util-linux setpriv=util-linux systemd-analyze=systemd tcpdump=tcpdump tcpreplay=tcpreplay

help: ## Print this list.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1	\2/p' Makefile | expand -t 12

build: ## Build the program, ./rtfm.
	go build -trimpath -o rtfm .

# Pages bear the date of what they are made of.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || date +%s)

man: ## Write the manual pages, to packaging/pages.
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) go run ./packaging/man packaging/pages

PREFIX ?= /usr/local
SHARE = $(DESTDIR)$(PREFIX)/share

# Nothing is started, and no user is made: the unit's first lines tell what is left to do.
install: build man ## Install program, manual pages, completions, unit and examples below PREFIX (and DESTDIR).
	install -D -m 755 rtfm $(DESTDIR)$(PREFIX)/bin/rtfm
	for page in packaging/pages/*; do install -D -m 644 $$page $(SHARE)/man/man$${page##*.}/$${page##*/} || exit 1; done
	install -d $(SHARE)/bash-completion/completions $(SHARE)/zsh/site-functions $(SHARE)/fish/vendor_completions.d
	./rtfm completion bash >$(SHARE)/bash-completion/completions/rtfm
	./rtfm completion zsh >$(SHARE)/zsh/site-functions/_rtfm
	./rtfm completion fish >$(SHARE)/fish/vendor_completions.d/rtfm.fish
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system $(SHARE)/doc/rtfm/examples
	sed 's,/usr/local/bin/,$(PREFIX)/bin/,' rtfm-meter.service >$(DESTDIR)$(PREFIX)/lib/systemd/system/rtfm-meter.service
	install -m 644 ruleset/examples/* $(SHARE)/doc/rtfm/examples

# Fuzzing is short here: test runs the seeds and all inputs that were ever kept.
check: ## Do all that continuous integration does: build, lint, test, race, and 2 s of each fuzz target.
	$(MAKE) tools build lint test race
	$(MAKE) fuzz FUZZTIME=2s

# Tests that run in parallel mostly wait, for SNMP agents and intervals.
TESTFLAGS = -parallel 4 -timeout 15m

# Those that start other programs have the machine to themselves.
ALONE = rtfm/cmd/acceptance

test: ## Run the tests.
	go test $(TESTFLAGS) $$(go list ./... | grep -vx $(ALONE))
	go test $(TESTFLAGS) $(ALONE)

# The tests of the root, which read source files, have no races to find.
# Programs that end under the race detector wait for more races, as they come to
# an end: for 1 s by default, which thousands of runs of rtfm make long.
race: ## Run the tests, less the long ones, under the race detector (needs gcc).
	@if command -v gcc >/dev/null; then \
		echo go test -race -short $(TESTFLAGS); export CGO_ENABLED=1 GORACE=atexit_sleep_ms=50; \
		go test -race -short $(TESTFLAGS) $$(go list ./... | grep -vx -e rtfm -e $(ALONE)) && \
		go test -race -short $(TESTFLAGS) $(ALONE); \
	else echo "no gcc: the race detector is not run"; fi

# Some last as long as RTFM_LONG says, if that is a time:
#   RTFM_LONG=1h go test -count 1 -timeout 90m -run '^(TestPrometheus|TestNATSFaults)$' ./cmd/acceptance
long: ## Run the tests in their long forms: more intervals, kills and soaking than "make test" has, for ten minutes.
	RTFM_LONG=1 go test -count 1 -parallel 4 -timeout 1h ./manager ./ruleset/pme ./cmd/acceptance

# When the time is up, go test now and then takes its own deadline for a failure.
# Inputs are hardly made smaller: that takes a minute for each by default.
fuzz: ## Run each fuzz target for FUZZTIME.
	@log=$$(mktemp); trap 'rm -f $$log' EXIT; \
	grep -r -o '^func Fuzz[A-Za-z0-9_]*' --include '*_test.go' . | sort | sed 's,/[^/]*:func , ,' | while read -r package target; do \
		echo "$$package $$target"; \
		if ! go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$package >$$log 2>&1; then \
			cat $$log; \
			if grep -q 'Failing input' $$log || ! grep -q '^    context deadline exceeded$$' $$log; then exit 1; fi; \
		else tail -n 2 $$log; fi; \
	done

bench: ## Run the benchmarks.
	go test -run '^$$' -bench . -benchmem ./...

live-bench: ## Compare with other programs how many packets a second can be captured (root, Linux).
	go test -run '^$$' -bench Live -benchtime 3x -timeout 30m ./cmd/acceptance

# ANGEL=long has as many packets and repeats as the report.
ANGEL ?= short

angel-bench: ## Repeat the ANGEL flow meter's performance report and print its figures beside ours (root, Linux).
	RTFM_ANGEL=$(ANGEL) go test -count 1 -p 1 -v -run '^(TestAngel|TestAngelPair|TestCollisions)$$' -timeout 3h ./cmd/acceptance ./meter/ident

# Folder for the traces of trace-bench, which are made once and take 7 GB.
SPEED ?= /tmp/rtfm-speed

# SPEED_LIMITS=FOLDER, where a limit-go is, has that take part: see TestTraceSpeed.
trace-bench: ## Compare with other programs how fast traces are metered (Linux).
	RTFM_SPEED=$(SPEED) RTFM_SPEED_LIMITS=$(SPEED_LIMITS) RTFM_SPEED_ROUNDS=$(SPEED_ROUNDS) \
		go test -count 1 -v -run '^TestTraceSpeed$$' -timeout 2h ./cmd/acceptance

# STORE_COPIES=16 is a store of 10 GiB; see TestStoreFindSpeed.
store-find-bench: ## Compare with tcpdump how fast packets of a store are found (root, Linux).
	RTFM_SPEED=$(SPEED) RTFM_STORE_COPIES=$(STORE_COPIES) go test -count 1 -v -run '^TestStoreFindSpeed$$' -timeout 1h ./cmd/acceptance

# Folder for what store-bench stores, up to STORE_GB at a time, and how much that is.
STORE ?= /tmp
STORE_GB ?= 3

store-bench: ## Compare with other programs how fast packets are stored, and what that costs a meter (root, Linux).
	RTFM_STORE_SPEED=$(STORE) RTFM_STORE_GB=$(STORE_GB) RTFM_STORE_ROUNDS=$(STORE_ROUNDS) \
		go test -count 1 -v -run '^TestStoreSpeed$$' -timeout 2h ./cmd/acceptance

# HOME_ROWS is how many; the ten questions are asked of ten times as many.
HOME_ROWS ?= 1000000

home-bench: ## Measure how fast flows go into each kind of place, and the room they take: see docs/HOME.md.
	RTFM_HOME=$(HOME_ROWS) go test -count 1 -v -run '^TestHomeSizes$$' -timeout 1h ./cmd/acceptance

# The second build is for a system with neither Linux's system calls nor 64 bits; the
# third is without the exports that take much room. Last is the module of servers for
# tests; what is compiled of it here need not be as they run.
lint: ## Check formatting, go vet, staticcheck, go.mod, and that other systems build.
	@files=$$(gofmt -l .); if [ -n "$$files" ]; then echo "not formatted as gofmt does:" $$files; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...
	go mod tidy -diff
	GOOS=freebsd GOARCH=386 go build -o /dev/null ./...
	go build -tags small -o /dev/null .
	cd cmd/acceptance/servers && go vet ./... && go mod tidy -diff && go build -o /dev/null github.com/nats-io/nats-server/v2

# Where Debian asks whether services may be started as they are installed.
POLICY = /usr/sbin/policy-rc.d

# Debian starts the services of what it installs, now and at every boot. Here they
# are neither started nor enabled.
tools: ## Install the programs that tests use, where apt is there and the user is root; starts no services.
	@missing=; for tool in $(TOOLS); do \
		PATH=$$PATH:/usr/sbin command -v $${tool%=*} >/dev/null || missing="$$missing $$(echo $${tool#*=} | tr , " ")"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ $$(id -u) != 0 ] || ! command -v apt-get >/dev/null; then \
		echo "not installed, so their tests are skipped:$$missing"; exit 0; fi; \
	export DEBIAN_FRONTEND=noninteractive; \
	if [ ! -e $(POLICY) ]; then \
		trap 'rm -f $(POLICY)' EXIT; trap 'exit 130' INT TERM; \
		printf '#!/bin/sh\nexit 101\n' >$(POLICY) && chmod 755 $(POLICY) || exit 1; fi; \
	apt-get update -q && apt-get install -q -y --no-install-recommends $$missing || exit 1; \
	services=$$(dpkg -L $$missing | sed -n 's,.*/systemd/system/\([^/@]*\.service\)$$,\1,p'); \
	if [ -n "$$services" ] && command -v systemctl >/dev/null; then systemctl disable $$services; fi

clean: ## Remove what the other targets made.
	rm -rf rtfm packaging/pages
