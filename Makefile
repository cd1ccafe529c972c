# whittle: build, test, measure. `make help` lists the targets.
PREFIX ?= /usr/local
DESTDIR ?=
ifeq ($(origin CC),default) # make's own is cc
CC := gcc
endif
CFLAGS ?= -O2 -g
BUILD ?= build
V ?= 0
PKG_CONFIG ?= pkg-config

PKGS := libnftnl libmnl jansson yaml-0.1 sqlite3 zlib libzstd libcap-ng nettle
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS) libcurl 2>/dev/null)
PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null)
REPORT_CFLAGS = $(shell $(PKG_CONFIG) --cflags pangocairo cairo-pdf 2>/dev/null)
REPORT_LIBS = $(shell $(PKG_CONFIG) --libs pangocairo cairo-pdf 2>/dev/null)
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wvla
BASE_CFLAGS := -std=gnu11 -D_GNU_SOURCE -Iinclude -Icore -I. -DWH_RULES_DIR='"$(PREFIX)/share/whittle/rules"' -fPIC -fvisibility=hidden -fstack-protector-strong $(WARN) $(PKG_CFLAGS) -MMD -MP
HARDEN_LD := -Wl,-z,relro,-z,now
SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
# gold takes half of the time for each of nearly two hundred programs; not every Debian has it.
SAN_LD := $(SAN) $(shell echo 'int main(void) { return 0; }' | $(CC) -fuse-ld=gold -x c - -o /dev/null 2>/dev/null && echo -fuse-ld=gold)

CORE_SRC := $(sort $(filter-out core/cli/% core/report/pdf%,$(wildcard core/*/*.c core/*/*/*.c)))
REPORT_SRC := $(sort $(wildcard core/report/pdf*.c))
CLI_SRC := $(sort $(wildcard core/cli/*.c))
PLUGIN_SRC := $(sort $(wildcard plugin/*.c))
UNIT_SRC := $(sort $(wildcard tests/unit/*/test_*.c))
UNIT_SUPPORT := $(sort $(wildcard tests/unit/support/*.c))
TOOL_SRC := $(sort $(wildcard tests/tools/*.c))
BENCH_SRC := $(sort $(filter-out %_plugin.c,$(wildcard tests/bench/*.c)))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))

obj = $(patsubst %.c,$(BUILD)/$(1)/%.o,$(2))
quiet = $(if $(filter 0,$(V)),@printf '  %-6s %s\n' $(1) $@;,)

.DEFAULT_GOAL := all

help: ## list every target with its sentence
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | sort | awk -F'\t' '{printf "  %-16s %s\n",$$1,$$2}'

all: $(BUILD)/whittle $(BUILD)/whittle-suricata.so $(BUILD)/whittle-report.so ## build the program and the Suricata plugin

$(BUILD)/whittle: $(call obj,o,$(CLI_SRC)) $(BUILD)/console.o $(BUILD)/libwhittle.a
	$(call quiet,LD)$(CC) $(CFLAGS) $(LDFLAGS) -pie $(HARDEN_LD) -o $@ $^ $(PKG_LIBS) -lpthread -lm -ldl

# The console of `whittle serve`: TypeScript, bundled and written as arrays.
$(BUILD)/console.c: $(wildcard core/serve/console/*)
	@mkdir -p $(@D)
	$(call quiet,TS)core/serve/console/build.sh $@
$(BUILD)/console.o: $(BUILD)/console.c core/serve/web.h
	$(call quiet,CC)$(CC) $(BASE_CFLAGS) $(CFLAGS) -c -o $@ $<

$(BUILD)/whittle-suricata.so: $(call obj,o,$(PLUGIN_SRC)) $(BUILD)/libwhittle.a
	$(call quiet,LD)$(CC) $(CFLAGS) $(LDFLAGS) -shared $(HARDEN_LD) -o $@ $^ $(PKG_LIBS) -lpthread -lm -ldl

# What draws the report has thirty libraries behind it: it is loaded for that alone.
$(BUILD)/whittle-report.so: $(call obj,o,$(REPORT_SRC)) $(BUILD)/libwhittle.a
	$(call quiet,LD)$(CC) $(CFLAGS) $(LDFLAGS) -shared $(HARDEN_LD) -o $@ $^ $(REPORT_LIBS) $(PKG_LIBS) -lpthread -lm -ldl
$(call obj,o,$(REPORT_SRC)): BASE_CFLAGS += $(REPORT_CFLAGS)

$(BUILD)/libwhittle.a: $(call obj,o,$(CORE_SRC))
	$(call quiet,AR)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/libwhittle-san.a: $(call obj,san,$(CORE_SRC) $(UNIT_SUPPORT) $(filter-out plugin/suricata.c,$(PLUGIN_SRC)))
	$(call quiet,AR)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/o/%.o: %.c
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(BASE_CFLAGS) $(CFLAGS) $(MORE_CFLAGS) -D_FORTIFY_SOURCE=2 -c -o $@ $<

# A record's structs are cleared once a record. gcc writes "rep stos" for that, which takes longer to begin than vectors to write.
CLEARING := -mmemset-strategy=vector_loop:512:noalign,libcall:-1:noalign -mmemcpy-strategy=vector_loop:512:noalign,libcall:-1:noalign
CLEARING := $(shell $(CC) $(CLEARING) -E -x c /dev/null >/dev/null 2>&1 && echo '$(CLEARING)')
READING := $(call obj,o,$(filter core/flow/% core/ledger/%,$(CORE_SRC)))
$(READING): BASE_CFLAGS += $(CLEARING)
# What runs once a record is also worth larger code, wherever the code is to be optimised at all.
$(READING): MORE_CFLAGS := $(if $(filter -O2,$(CFLAGS)),-O3)

$(BUILD)/san/%.o: %.c
	@mkdir -p $(@D)
	$(call quiet,CCSAN)$(CC) $(BASE_CFLAGS) -O1 -g $(SAN) -c -o $@ $<

# The program itself under ASan and UBSan, in a folder that stands for BUILD in tests: what is beside it is the ordinary build's.
$(BUILD)/asan/whittle: $(call obj,san,$(CLI_SRC)) $(BUILD)/console.o $(BUILD)/libwhittle-san.a
	@mkdir -p $(@D)
	@for f in tools unit whittle-suricata.so whittle-report.so; do ln -sfn ../$$f $(@D)/$$f || exit 1; done
	$(call quiet,LDSAN)$(CC) $(SAN) -pie -o $@ $^ $(PKG_LIBS) -lpthread -lm -ldl

UNIT_BIN := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(UNIT_SRC))
$(BUILD)/san/tests/unit/%.o: BASE_CFLAGS += -Werror=unused-function # a test that its main() leaves out
$(BUILD)/unit/azure/test_groups_plan: PKG_LIBS += -Wl,--wrap=wh_nsg_plan_verify
$(BUILD)/unit/%: $(BUILD)/san/tests/unit/%.o $(BUILD)/libwhittle-san.a
	@mkdir -p $(@D)
	$(call quiet,LDSAN)$(CC) $(SAN_LD) -o $@ $^ $(PKG_LIBS) -lcmocka -lpthread -lm -ldl
$(BUILD)/tools/%: $(BUILD)/o/tests/tools/%.o $(BUILD)/libwhittle.a
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(CFLAGS) -o $@ $^ $(PKG_LIBS) -lpthread -lm -ldl
$(BUILD)/bench/%: $(BUILD)/o/tests/bench/%.o $(BUILD)/libwhittle.a
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(CFLAGS) -o $@ $^ $(PKG_LIBS) -lpthread -lm -ldl
$(BUILD)/bench/null-plugin.so: $(BUILD)/o/tests/bench/null_plugin.o
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(CFLAGS) -shared -o $@ $^ -ldl

# Each fuzzer's function with a main of our own, which runs its seeds.
SEEDS_BIN := $(patsubst tests/fuzz/%.c,$(BUILD)/seeds/%,$(FUZZ_SRC))
$(BUILD)/seeds/%: $(BUILD)/san/tests/fuzz/%.o $(BUILD)/san/tests/fuzz/seeds.o $(BUILD)/libwhittle-san.a
	@mkdir -p $(@D)
	$(call quiet,LDSAN)$(CC) $(SAN_LD) -o $@ $^ $(PKG_LIBS) -lpthread -lm -ldl
$(BUILD)/san/tests/fuzz/%.o: BASE_CFLAGS += -Wno-missing-prototypes

# The fuzzers are clang's alone; without it there are none, and tests/fuzz/run.sh says so.
FUZZ_BIN = $(if $(shell command -v clang),$(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(FUZZ_SRC)))
$(BUILD)/fuzz/o/%.o: %.c
	@mkdir -p $(@D)
	$(call quiet,CCFUZZ)clang $(BASE_CFLAGS) -Wno-missing-prototypes -O1 -g $(SAN) -fsanitize=fuzzer-no-link -c -o $@ $<
$(BUILD)/fuzz/libwhittle-fuzz.a: $(call obj,fuzz/o,$(CORE_SRC))
	$(call quiet,AR)rm -f $@ && $(AR) rcs $@ $^
$(BUILD)/fuzz/%: $(BUILD)/fuzz/o/tests/fuzz/%.o $(BUILD)/fuzz/libwhittle-fuzz.a
	$(call quiet,LDFUZZ)clang $(SAN) -fsanitize=fuzzer -o $@ $^ $(PKG_LIBS) -lpthread -lm -ldl
fuzzers: $(FUZZ_BIN)

tools: $(patsubst tests/tools/%.c,$(BUILD)/tools/%,$(TOOL_SRC))

check: $(UNIT_BIN) ## unit tests only, under ASan and UBSan
	@tests/run.sh unit $(UNIT_BIN)

deps: ## install what building and testing need
	@packaging/install-deps.sh test

demo: ## whittle in two minutes: from a month of traffic to a firewall that takes itself back
	@packaging/install-deps.sh demo
	@$(MAKE) --no-print-directory -j2 all tools
	@BUILD=$(BUILD) tests/demo/demo.sh

# Those that take longest begin, so that none is left at the end with nobody beside it. Whose streams of packets need a quiet machine run alone.
LONGEST := tests/e2e/suricata8.sh $(patsubst %,tests/e2e/%.sh,suricata7 coexist enforce_kill azure watch selftest)
ALONE := tests/e2e/replace.sh
test: ## every test: installs what is missing, builds, runs all; ends with the counted line
	@packaging/install-deps.sh test
	@$(MAKE) --no-print-directory -j2 all tools $(UNIT_BIN) $(SEEDS_BIN)
	@BUILD=$(BUILD) tests/run.sh all $(LONGEST) tests/fuzz/seeds.sh $(UNIT_BIN) $(filter-out $(LONGEST) $(ALONE),$(sort $(wildcard tests/e2e/*.sh))) -- $(ALONE)

test-suricata8: all ## the plugin under Suricata 8, in a Debian 13 root made for it
	@BUILD=$(BUILD) tests/run.sh suricata8 tests/e2e/suricata8.sh

test-console: all ## the console in Chromium, page by page, judged by axe-core
	@BUILD=$(BUILD) tests/run.sh console tests/browser/console.sh tests/browser/console_host.sh

test-fleet: all ## a ClickHouse cluster on loopback: twenty sensors, a shard and a replica that are killed, TLS
	@BUILD=$(BUILD) tests/run.sh fleet $(sort $(wildcard tests/e2e/fleet*.sh))

# Its processes may not be traced, which a search for leaks needs. A report fails the run whatever the test made of its status.
ASAN_SCRIPTS ?= $(patsubst %,tests/e2e/%.sh,anomalies badinput formats json_odd state status)
test-asan: all tools $(BUILD)/asan/whittle ## scripts of tests/e2e with the program under ASan and UBSan; ASAN_SCRIPTS: which ones
	@reports=$$(mktemp -d) && chmod 1777 "$$reports" && rc=0 && \
	BUILD=$(BUILD)/asan ASAN_OPTIONS=detect_leaks=0:exitcode=99:log_path="$$reports/report" UBSAN_OPTIONS=print_stacktrace=1:log_path="$$reports/report" \
		tests/run.sh asan $(ASAN_SCRIPTS) || rc=1; \
	for f in "$$reports"/report.*; do [ ! -e "$$f" ] || { cat "$$f"; rc=1; }; done; rm -rf "$$reports"; exit $$rc

test-fresh: ## the README's commands in minimal Debian 12 and 13 roots, made with debootstrap and thrown away
	@packaging/install-deps.sh test
	@tests/fresh/fresh.sh

FUZZ_SECONDS ?= 60
fuzz: ## run every fuzzer for FUZZ_SECONDS (60) each
	@packaging/install-deps.sh fuzz
	@$(MAKE) --no-print-directory -j2 fuzzers
	@tests/fuzz/run.sh $(BUILD) $(FUZZ_SECONDS)

lint: ## what judges the code without running it: rooms, cppcheck, clang-tidy, tsc
	@packaging/install-deps.sh lint
	@mkdir -p $(BUILD)
	@BUILD=$(BUILD) tests/lint/run.sh

bench: ## measure against the peers, in one run: build/bench/table.txt
	@packaging/install-deps.sh bench
	@$(MAKE) --no-print-directory -j2 all tools $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(BENCH_SRC))
	@BUILD=$(BUILD) tests/bench/run.sh

# RUN: what runs the program that was built for another architecture, such as qemu-aarch64
install: all ## install below PREFIX (/usr/local), DESTDIR before it
	install -D -m 755 $(BUILD)/whittle $(DESTDIR)$(PREFIX)/bin/whittle
	install -D -m 644 $(BUILD)/whittle-suricata.so $(DESTDIR)$(PREFIX)/lib/whittle/whittle-suricata.so
	install -D -m 644 $(BUILD)/whittle-report.so $(DESTDIR)$(PREFIX)/lib/whittle/whittle-report.so
	for f in rules/*.yaml rules/*/*.yaml rules/suricata/*.rules; do install -D -m 644 $$f $(DESTDIR)$(PREFIX)/share/whittle/$$f || exit 1; done
	install -D -m 644 packaging/suricata/whittle.yaml $(DESTDIR)$(PREFIX)/share/doc/whittle/suricata/whittle.yaml
	for u in packaging/systemd/*.service packaging/systemd/*.socket; do install -d $(DESTDIR)$(PREFIX)/lib/systemd/system && \
		sed 's#/usr/local/bin/#$(PREFIX)/bin/#' $$u >$(DESTDIR)$(PREFIX)/lib/systemd/system/$${u##*/} || exit 1; done
	install -D -m 644 packaging/sysusers.d/whittle.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/whittle.conf
	[ -n "$(DESTDIR)" ] || [ "$$(id -u)" != 0 ] || ! command -v systemd-sysusers >/dev/null || systemd-sysusers $(PREFIX)/lib/sysusers.d/whittle.conf
	install -D -m 644 packaging/whittle.yaml $(DESTDIR)$(PREFIX)/share/doc/whittle/whittle.yaml
	install -D -m 644 packaging/man/whittle.1 $(DESTDIR)$(PREFIX)/share/man/man1/whittle.1
	RUN="$(RUN)" packaging/man/pages.sh $(BUILD)/whittle $(DESTDIR)$(PREFIX)/share/man/man1
	install -D -m 644 packaging/completions/whittle.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/whittle
	install -D -m 644 packaging/completions/_whittle $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_whittle
	install -D -m 644 packaging/completions/whittle.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/whittle.fish

uninstall: ## take away what install put below PREFIX; ledger, configuration and rules in force stay
	for f in bin/whittle lib/sysusers.d/whittle.conf share/bash-completion/completions/whittle share/zsh/site-functions/_whittle \
		share/fish/vendor_completions.d/whittle.fish share/man/man1/whittle.1; do rm -f $(DESTDIR)$(PREFIX)/$$f || exit 1; done
	for u in packaging/systemd/*.service packaging/systemd/*.socket; do rm -f $(DESTDIR)$(PREFIX)/lib/systemd/system/$${u##*/} || exit 1; done
	rm -f $(DESTDIR)$(PREFIX)/share/man/man1/whittle-*.1
	rm -rf $(DESTDIR)$(PREFIX)/lib/whittle $(DESTDIR)$(PREFIX)/share/whittle $(DESTDIR)$(PREFIX)/share/doc/whittle

dist: ## the source archive, the same bytes wherever it is made: build/whittle-VERSION.tar.gz
	@packaging/dist.sh $(BUILD)/whittle-$$(sed -n 's/^\#define WH_VERSION "\(.*\)"/\1/p' include/whittle/base.h).tar.gz

sbom: all ## what is really linked, as CycloneDX: build/whittle.cdx.json
	@packaging/sbom.sh $(BUILD) >$(BUILD)/whittle.cdx.json

deb: ## Debian packages of the last commit, by debhelper: build/deb; ARCH=arm64: for another architecture
	@packaging/install-deps.sh deb $(ARCH)
	@packaging/deb.sh $(BUILD) -b $(ARCH:%=-a%)

test-packages: ## the packages in minimal Debian 12 and 13 roots: lintian, install, upgrade, purge
	@packaging/install-deps.sh test
	@tests/fresh/packages.sh

EVAL_SRC := $(sort $(wildcard tests/eval/*.c))
$(BUILD)/eval/eval: $(call obj,o,$(EVAL_SRC)) $(BUILD)/libwhittle.a
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(CFLAGS) -o $@ $^ $(PKG_LIBS) -lpthread -lm -ldl
INCIDENTS_SRC := $(sort $(wildcard tests/eval/incidents/*.c))
$(BUILD)/eval/incidents: $(call obj,o,$(INCIDENTS_SRC) $(filter-out tests/eval/main.c,$(EVAL_SRC))) $(BUILD)/libwhittle.a
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(CFLAGS) -o $@ $^ $(PKG_LIBS) -lpthread -lm -ldl
eval: $(BUILD)/eval/eval $(BUILD)/eval/incidents ## judge recommendations on generated worlds: build/eval/table.txt and .json
	@$(BUILD)/eval/eval --out $(BUILD)/eval --confirm 20 --each-feature --label "$$(git describe --always --dirty 2>/dev/null)" $(EVAL_OPTIONS)
	@$(BUILD)/eval/incidents --out $(BUILD)/eval $(INCIDENTS_OPTIONS)
	@BUILD=$(BUILD) tests/eval/captures.sh | tee $(BUILD)/eval/captures.txt

clean: ## remove everything that was built
	rm -rf $(BUILD)

.PHONY: help all deps demo dist sbom deb test test-suricata8 test-console test-fleet test-asan test-fresh test-packages check bench eval fuzz fuzzers lint install uninstall clean tools
.SECONDARY:
-include $(shell find $(BUILD) -path $(BUILD)/deb -prune -o -name '*.d' -type f -print 2>/dev/null)
