# converge: live collaborative text inside PostgreSQL
#
#   make                 the extension, and the relay where its libraries are installed
#   make install         the extension where pg_config says, the relay in PREFIX/bin, which
#                        is /usr/local/bin (DESTDIR and PG_CONFIG as usual), and the page in
#                        PREFIX/share/converge/web, where it was built
#   make page            the page that browsers get, in .local/web (needs Node)
#   make installcheck    pg_regress and isolation tests on an installed, running server
#
# The rest needs nothing prepared: it installs what a fresh Debian lacks (tools/deps)
# and works in a private cluster below .local/.
#
#   make demo            a page to open, and people who write in it, until Control-C;
#                        make demo REPLAY=1, or without a terminal: two authors type into
#                        one document through the relay, and all must be equal
#   make test            every test;  make test SUITE=regress  one suite of them
#   make bench           ratios against the least durable work
#   make fuzz            the fuzzers, for longer than make test gives them
#   make soak            kills at random while people type, for an hour (CHECKER_S=seconds)
#   make torture CLIENT=1  the client: schedules, broken rules, sessions with kills, for long
#   make platforms       the tests on Debian's later releases, in chroots (as root);
#                        make platforms PLATFORM=sid SUITE=tap  on one, of one suite
#   make lint            formatter and static analysers, where installed
#   make stop            end whatever was started from here;  make clean  and remove it
#
# CI=true or WERROR=1 turns warnings into errors.

MODULE_big = converge
EXTENSION = converge
DATA = sql/converge--1.0.sql
PGFILEDESC = "converge - live collaborative text"

OBJS = \
	src/access/access.o src/access/context.o src/access/password.o \
	src/base/arrays.o src/base/subxact.o \
	src/decode/decode.o src/decode/options.o src/decode/tables.o src/decode/talk.o \
	src/decode/values.o \
	src/edit/apply.o src/edit/at_head.o src/edit/catch_up.o src/edit/document.o \
	src/edit/join.o src/edit/rebase.o src/edit/restore.o src/edit/sequence.o \
	src/edit/submit.o src/edit/take_back.o src/edit/undo.o src/edit/whole_text.o \
	src/history/activity.o src/history/blame.o src/history/carry_ops.o \
	src/history/carry_ranges.o src/history/difference.o src/history/history.o \
	src/history/occurrences.o src/history/snapshot.o src/history/timeline.o \
	src/history/verify.o \
	src/module.o \
	src/ot/apply.o src/ot/buffer.o src/ot/compose.o src/ot/fold.o src/ot/json.o src/ot/op.o \
	src/ot/transform.o src/ot/utf8.o \
	src/past/anchors.o src/past/anchors_composed.o src/past/chunks.o src/past/diff.o \
	src/past/matches.o src/past/myers.o src/past/pack_frame.o src/past/pack_ids.o \
	src/past/pack_model.o src/past/pack_read.o src/past/pack_write.o src/past/quote.o \
	src/past/rope.o src/past/slide.o src/past/spans.o \
	src/store/additions.o src/store/append.o src/store/documents.o src/store/exec.o \
	src/store/exec_heads.o src/store/forget.o src/store/heads.o src/store/labels.o \
	src/store/layout.o src/store/log.o src/store/members.o src/store/names.o src/store/ops.o \
	src/store/packs.o src/store/roles.o src/store/scan.o src/store/snapshots.o \
	src/store/statements.o src/store/undos.o src/store/whole.o \
	src/type/event.o src/type/op_functions.o src/type/op_type.o \
	src/upkeep/container.o src/upkeep/erase.o src/upkeep/maintenance.o src/upkeep/pack.o \
	src/upkeep/redact.o src/upkeep/rewrite.o src/upkeep/transfer.o src/upkeep/worker.o

# Inputs stay in test/, expected output in expected/, results out of the checkout.
OUT = .local/regress
REGRESS = $(sort $(patsubst test/sql/%.sql,%,$(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --outputdir=$(OUT)
REGRESS_PREP = regress-prep
ISOLATION = $(sort $(patsubst test/specs/%.spec,%,$(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test --outputdir=$(OUT)

# No warnings about PostgreSQL's own headers, nor
# about what its macros (lengthof) and callbacks require.
PG_CONFIG ?= pg_config
PG_CPPFLAGS = -iquote src -isystem $(shell $(PG_CONFIG) --includedir-server)
PG_CFLAGS = -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare
ifneq ($(filter 1 true yes,$(WERROR) $(CI)),)
PG_CFLAGS += -Werror
endif

# Packs of history are zstd frames.
SHLIB_LINK += -lzstd

RELAY_LIBS = libwebsockets libuv jansson libjwt openssl libpq zlib
HAVE_RELAY := $(shell test -e relay/Makefile && pkg-config --exists $(RELAY_LIBS) 2>/dev/null && echo yes)
RELAY = .local/bin/converge-relay

# Where PATH looks, and the systemd unit; PostgreSQL's own programs are often elsewhere.
PREFIX = /usr/local
RELAY_BINDIR = $(PREFIX)/bin
PAGE_DIR = $(PREFIX)/share/converge/web
PAGE = .local/web

# Parallel below unless the caller said how.
JOBS = $(if $(findstring j,$(firstword -$(MAKEFLAGS))),,-j$(shell nproc))
BUILD = $(MAKE) -s --no-print-directory $(JOBS) all

all:

# libpq-dev alone names a pgxs.mk that is not there, or that has no headers to build
# with; then only the rules below the next `endif` work, and they install the rest.
PGXS := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))
PG_HEADERS := $(wildcard $(shell $(PG_CONFIG) --includedir-server 2>/dev/null)/postgres.h)
ifneq ($(and $(PGXS),$(PG_HEADERS)),)

# A server built with LLVM asks for bitcode, which a machine without clang cannot make.
PGXS_GLOBAL := $(dir $(PGXS))../Makefile.global
BITCODE_TOOLS := $(shell sed -n 's/^CLANG *= *//p; s,^LLVM_BINPATH *= *\(.*\),\1/llvm-lto,p' $(PGXS_GLOBAL))
ifneq ($(words $(foreach tool,$(BITCODE_TOOLS),$(shell command -v $(tool)))),2)
override with_llvm = no
endif

include $(PGXS)

HEADERS_HERE := $(wildcard src/*.h src/*/*.h)
$(OBJS) $(OBJS:.o=.bc): $(HEADERS_HERE)

ifeq ($(HAVE_RELAY),yes)
all: relay
install: install-relay
installdirs: installdirs-relay
endif
install: install-page
uninstall: uninstall-relay uninstall-page

.PHONY: install-relay installdirs-relay uninstall-relay install-page uninstall-page
install-relay: relay installdirs-relay
	$(INSTALL_PROGRAM) $(RELAY) '$(DESTDIR)$(RELAY_BINDIR)/converge-relay'

installdirs-relay:
	$(MKDIR_P) '$(DESTDIR)$(RELAY_BINDIR)'

uninstall-relay:
	rm -f '$(DESTDIR)$(RELAY_BINDIR)/converge-relay'

# What `make page` built, if it did; files that an earlier one had go with it.
install-page:
	@test ! -e $(PAGE)/index.html || { rm -rf '$(DESTDIR)$(PAGE_DIR)' && $(MKDIR_P) '$(DESTDIR)$(PAGE_DIR)' && \
		$(INSTALL_DATA) $(PAGE)/* '$(DESTDIR)$(PAGE_DIR)/' && echo 'the page is in $(DESTDIR)$(PAGE_DIR)'; }

uninstall-page:
	rm -rf '$(DESTDIR)$(PAGE_DIR)'

else

all install installcheck:
	@echo 'PostgreSQL server headers are missing; "tools/deps build" installs them' >&2; exit 1

endif

# PostgreSQL 15 looks for expected/ beside the results first, later ones here.
.PHONY: regress-prep
regress-prep:
	@mkdir -p $(OUT) && ln -sfn '$(CURDIR)/expected' $(OUT)/expected

.PHONY: relay demo page test bench fuzz soak torture platforms lint stop clean-local
relay:
	+@$(MAKE) --no-print-directory -C relay

# The page where there is a terminal to stop it from, else the table of the replay.
demo:
	@if [ -z '$(REPLAY)' ] && [ -t 1 ]; then tools/deps build demo page; else tools/deps build demo; fi
	+@$(BUILD)
	@tools/cluster start
	@if [ -z '$(REPLAY)' ] && [ -t 1 ]; then exec client/web/demo/run; else exec bench/demo; fi

page:
	@tools/deps page
	@client/web/install && cd client/web && node build.mjs ../../$(PAGE)

test:
	@tools/deps build demo test
	+@$(BUILD)
	@tools/cluster start
	@tools/test $(SUITE)

bench:
	@tools/deps build demo bench
	+@$(BUILD)
	@tools/cluster start
	@bench/run

fuzz:
	@tools/deps build demo test
	@$(MAKE) --no-print-directory -C test/ot fuzz
	@$(MAKE) --no-print-directory -C test/past fuzz

soak: export CHECKER_S ?= 3600
soak:
	@tools/deps build demo test
	+@$(BUILD)
	@tools/cluster start
	@$(MAKE) --no-print-directory -C test/relay e2e FILES=checker.test.mjs

torture:
	@tools/deps build demo test
	+@$(BUILD)
	@tools/cluster start
ifneq ($(CLIENT),)
	@$(MAKE) --no-print-directory -C client torture
endif

platforms:
	@tools/platforms $(PLATFORM) $(SUITE)

lint:
	@tools/lint

stop:
	@tools/stop

clean: clean-local
clean-local: stop
	@tools/stop --remove
