# converge: live collaborative text inside PostgreSQL
#
#   make                 the extension, and the relay where its libraries are installed
#   make install         both, where pg_config says (DESTDIR and PG_CONFIG as usual)
#   make installcheck    pg_regress and isolation tests on an installed, running server
#
# The rest needs nothing prepared: it installs what a fresh Debian lacks (tools/deps)
# and works in a private cluster below .local/.
#
#   make demo            two authors type into one document through the relay
#   make test            every test;  make test SUITE=regress  one suite of them
#   make bench           ratios against the least durable work
#   make fuzz            the fuzzers, for longer than make test gives them
#   make soak            kills at random while people type, for an hour (CHECKER_S=seconds)
#   make lint            formatter and static analysers, where installed
#   make stop            end whatever was started from here;  make clean  and remove it
#
# CI=true or WERROR=1 turns warnings into errors.

MODULE_big = converge
EXTENSION = converge
DATA = sql/converge--1.0.sql
PGFILEDESC = "converge - live collaborative text"

OBJS = \
	src/access.o src/apply.o src/blame.o src/catalog.o src/catalog_keep.o src/catalog_log.o \
	src/catalog_write.o src/converge.o src/decode.o src/document.o src/event.o src/gateway.o \
	src/history.o src/maintenance.o src/missed.o src/op_functions.o src/op_type.o \
	src/ot/apply.o src/ot/buffer.o src/ot/compose.o src/ot/fold.o src/ot/json.o src/ot/op.o \
	src/ot/transform.o src/ot/utf8.o \
	src/pack.o src/past/chunks.o src/past/pack_frame.o src/past/pack_model.o \
	src/past/pack_read.o src/past/pack_write.o src/past/rope.o src/past/spans.o \
	src/snapshot.o src/timeline.o src/undo.o src/verify.o src/worker.o

# Inputs stay in test/, expected output in expected/, results out of the checkout.
OUT = .local/regress
REGRESS = $(sort $(patsubst test/sql/%.sql,%,$(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --outputdir=$(OUT)
REGRESS_PREP = regress-prep
ISOLATION = $(sort $(patsubst test/specs/%.spec,%,$(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test --outputdir=$(OUT)

# PostgreSQL's headers are somebody else's: no warnings about what is inside them, nor
# for what its macros (lengthof) and callbacks make everybody write.
PG_CONFIG ?= pg_config
PG_CPPFLAGS = -isystem $(shell $(PG_CONFIG) --includedir-server)
PG_CFLAGS = -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare
ifneq ($(filter 1 true yes,$(WERROR) $(CI)),)
PG_CFLAGS += -Werror
endif

# Packs of history are zstd frames.
SHLIB_LINK += -lzstd

RELAY_LIBS = libwebsockets libuv jansson libjwt openssl libpq zlib
HAVE_RELAY := $(shell test -e relay/Makefile && pkg-config --exists $(RELAY_LIBS) 2>/dev/null && echo yes)
RELAY = .local/bin/converge-relay

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

HEADERS_HERE := $(wildcard src/*.h src/ot/*.h src/past/*.h)
$(OBJS) $(OBJS:.o=.bc): $(HEADERS_HERE)

ifeq ($(HAVE_RELAY),yes)
all: relay
install: install-relay
installdirs: installdirs-relay
endif
uninstall: uninstall-relay

.PHONY: install-relay installdirs-relay uninstall-relay
install-relay: relay installdirs-relay
	$(INSTALL_PROGRAM) $(RELAY) '$(DESTDIR)$(bindir)/converge-relay'

installdirs-relay:
	$(MKDIR_P) '$(DESTDIR)$(bindir)'

uninstall-relay:
	rm -f '$(DESTDIR)$(bindir)/converge-relay'

else

all install installcheck:
	@echo 'PostgreSQL server headers are missing; "tools/deps build" installs them' >&2; exit 1

endif

# PostgreSQL 15 looks for expected/ beside the results first, later ones here.
.PHONY: regress-prep
regress-prep:
	@mkdir -p $(OUT) && ln -sfn '$(CURDIR)/expected' $(OUT)/expected

.PHONY: relay demo test bench fuzz soak lint stop clean-local
relay:
	+@$(MAKE) --no-print-directory -C relay

demo:
	@tools/deps build demo
	+@$(BUILD)
	@tools/cluster start
	@bench/demo

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

lint:
	@tools/lint

stop:
	@tools/stop

clean: clean-local
clean-local: stop
	@tools/stop --remove
