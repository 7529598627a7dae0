# What `make` offers beside building. Included by the Makefile.

help:
	@echo 'make                build/weft'
	@echo 'make unit           unit tests of every room; make unit-ROOM: of one'
	@echo 'make check          the laws of the house (tools/check.sh)'
	@echo 'make tidy           clang-tidy over src/'
	@echo 'make sanitize       unit tests under address, undefined-behaviour and thread sanitizers'
	@echo 'make fuzz           each fuzz target for FUZZ_SECONDS (60); make fuzz-corpus: its corpus once'
	@echo 'make long           what takes longer than ./test may: many seeds of the series store, make fuzz, every benchmark'
	@echo 'make clean          removes build/'
	@echo 'Variants: make V=asan|tsan|clang …   Everything, installed and tested: ./test   A look at it: ./demo'
.PHONY: help

objects: $(ALL_OBJECTS)
.PHONY: objects

check: objects
	@BUILD=$(B) sh tools/check.sh
check-test:
	@sh tools/check_test.sh
.PHONY: check check-test

# ---- clang-tidy, one stamp a file, renewed with its object, so that only what changed is read again
TIDY_SOURCES := $(foreach r,$(ROOMS),$(call sources,$(r)))
build/tidy/%.ok: %.c $(B)/%.o .clang-tidy
	@mkdir -p $(@D)
	@clang-tidy --quiet --warnings-as-errors='*' $< -- -isystem /usr/include/lua5.4 -std=c17 -D_GNU_SOURCE -Isrc -I. -I$(B)/gen 2>build/tidy/stderr.$(subst /,-,$<) || { cat build/tidy/stderr.$(subst /,-,$<) >&2; exit 1; }
	@touch $@
tidy: $(patsubst %.c,build/tidy/%.ok,$(TIDY_SOURCES))
	@echo "tidy: $(words $^) passed, 0 failed"
.PHONY: tidy

sanitize:
	@$(MAKE) --no-print-directory V=asan unit
	@$(MAKE) --no-print-directory V=tsan unit
.PHONY: sanitize

# ---- fuzzing: every src/ROOM/x_fuzz.c, linked with its room and those to its left
FUZZ_SECONDS ?= 60
FUZZERS := $(sort $(shell find src -name '*_fuzz.c' 2>/dev/null))
FB := build/fuzz
fuzz_name = $(patsubst %_fuzz.c,%,$(notdir $(1)))
fuzz_room = $(word 2,$(subst /, ,$(1)))

ifeq ($(V),fuzz)
define fuzz_rules
$(FB)/fuzz/$(call fuzz_name,$(1)): $(FB)/$(1:.c=.o) $(foreach r,$(call upto,$(call fuzz_room,$(1)),$(ROOMS)),$(FB)/lib/$(r).a)
	@mkdir -p $$(@D)
	$$(CC) -fsanitize=fuzzer,address,undefined -o $$@ $(FB)/$(1:.c=.o) \
	  $(foreach r,$(call reverse,$(call upto,$(call fuzz_room,$(1)),$(ROOMS))),$(FB)/lib/$(r).a) $$(LIBS)
endef
$(foreach f,$(FUZZERS),$(eval $(call fuzz_rules,$(f))))
fuzz-build: plugins $(foreach f,$(FUZZERS),$(FB)/fuzz/$(call fuzz_name,$(f)))
.PHONY: fuzz-build
endif

fuzz:
	@$(MAKE) --no-print-directory V=fuzz fuzz-build
	@sh tools/fuzz.sh $(FUZZ_SECONDS) $(foreach f,$(FUZZERS),$(call fuzz_name,$(f)))
fuzz-corpus:
	@$(MAKE) --no-print-directory V=fuzz fuzz-build
	@sh tools/fuzz.sh corpus $(foreach f,$(FUZZERS),$(call fuzz_name,$(f)))
.PHONY: fuzz fuzz-corpus

# ---- the programs of `make unit`, without running them
unit-build: $(foreach r,$(TESTED),$(B)/test/$(r))
.PHONY: unit-build

# ---- what takes longer than ./test may
LONG_SEEDS ?= 400
long: build/weft build/release/test/store
	@UNIT=series_model WEFT_SEED=$$(date +%s) WEFT_ROUNDS=$(LONG_SEEDS) build/release/test/store
	@UNIT=series_fault WEFT_SEED=$$(date +%s) WEFT_ROUNDS=10 build/release/test/store
	@$(MAKE) --no-print-directory fuzz
	@for b in bench/*.sh; do echo "== $$b"; sh $$b || exit 1; done
.PHONY: long
