# Weft. `make` builds build/weft; `make help` lists the rest.
# The rooms, in order. Includes point left only; `make check` and the linking of each room's tests hold it.
ROOMS := base os model kernel store trust document connect insight act domain serve app

V ?= release
B := build/$(V)
CC := gcc
LIBS := -lqrencode -lmicrohttpd -lsqlite3 -lsodium -lzstd -lz -ljansson -linih -lxxhash -llua5.4 -lyaml -lpcre2-8 -ldl -lpthread -lm
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
CFLAGS := -isystem /usr/include/lua5.4 -std=c17 -D_GNU_SOURCE -O2 -g -ffp-contract=off -fno-omit-frame-pointer -fstack-protector-strong $(WARN) -Isrc -I. -I$(B)/gen
LDFLAGS :=

# Variants: make V=asan …, V=tsan, V=clang, V=fuzz; each has its own folder under build/.
ifeq ($(V),asan)
CFLAGS += -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS += -fsanitize=address,undefined
endif
ifeq ($(V),tsan)
CFLAGS += -O1 -fsanitize=thread
LDFLAGS += -fsanitize=thread
endif
ifeq ($(V),clang)
CC := clang
endif
ifeq ($(V),fuzz)
CC := clang
CFLAGS += -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LDFLAGS += -fsanitize=address,undefined
endif

# $(call sources,room): its C files, without tests and fuzz targets
sources = $(sort $(filter-out %_test.c %_fuzz.c,$(shell find src/$(1) -name '*.c' 2>/dev/null)))
tests = $(sort $(shell find src/$(1) -name '*_test.c' 2>/dev/null))
objects = $(patsubst %.c,$(B)/%.o,$(call sources,$(1)))
# rooms up to and including $(1)
upto = $(if $(filter $(1),$(firstword $(2))),$(1),$(firstword $(2)) $(call upto,$(1),$(wordlist 2,99,$(2))))

ALL_OBJECTS := $(foreach r,$(ROOMS),$(call objects,$(r)))
CONSOLE := $(B)/gen/console_files.o
# Packs that come with the program.
PACKS := machinery core
PACKS_OBJECT := $(B)/gen/pack_builtin_files.o

# `make Q=` shows whole commands
Q := @
SAY := @echo ' '

all: build/weft
.PHONY: all

ifeq ($(V),release)
build/weft: $(B)/weft
	@ln -sf release/weft $@
else
.PHONY: build/weft
build/weft: $(B)/weft
endif

$(B)/weft: $(ALL_OBJECTS) $(CONSOLE) $(PACKS_OBJECT)
	$(SAY) LINK $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/%.o: %.c Makefile | $(B)/gen/packs.stamp
	@mkdir -p $(@D)
	$(SAY) CC $<
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

# ---- one library a room, one test program a room: an upward call cannot link
define room_rules
$(B)/lib/$(1).a: $(call objects,$(1)) $(if $(filter model,$(1)),$(PACKS_OBJECT))
	@mkdir -p $$(@D); rm -f $$@
	@ar rcs $$@ $$^
$(B)/test/$(1)_main.c: $(call tests,$(1)) tests/main.sh
	@mkdir -p $$(@D)
	@sh tests/main.sh $(call tests,$(1)) > $$@
$(B)/test/$(1): $(B)/test/$(1)_main.c $(patsubst %.c,$(B)/%.o,$(call tests,$(1)) $(wildcard tests/unit.c $(foreach r,$(call upto,$(1),$(ROOMS)),tests/lib/$(r)_*.c))) $(foreach r,$(call upto,$(1),$(ROOMS)),$(B)/lib/$(r).a) $(if $(filter serve app,$(1)),$(CONSOLE)) | plugins
	$(SAY) LINK $$@
	$(Q)$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $(B)/test/$(1)_main.c $$(filter %.o,$$^) \
	  $(foreach r,$(call reverse,$(call upto,$(1),$(ROOMS))),$(B)/lib/$(r).a) $$(LIBS)
unit-$(1): $(B)/test/$(1)
	@$(B)/test/$(1)
.PHONY: unit-$(1)
endef
reverse = $(if $(1),$(call reverse,$(wordlist 2,99,$(1))) $(firstword $(1)))
$(foreach r,$(ROOMS),$(eval $(call room_rules,$(r))))

TESTED := $(foreach r,$(ROOMS),$(if $(call tests,$(r)),$(r)))
unit: $(addprefix unit-,$(TESTED))
.PHONY: unit

# ---- the console: TypeScript bundled by esbuild, then one C file of bytes
$(B)/gen/console_files.c: $(shell find console -path console/node_modules -prune -o -type f -print) tools/embed.sh
	@mkdir -p $(@D)
	sh tools/embed.sh $@
$(B)/gen/console_files.o: $(B)/gen/console_files.c
	$(CC) $(CFLAGS) -c -o $@ $<

# ---- packs: the built-in ones become bytes of the program, and machinery's names a header
$(B)/gen/packs.stamp: $(shell find $(PACKS:%=packs/%) -name '*.yaml' -o -name '*.lua') tools/packs.sh Makefile
	@sh tools/packs.sh $(B)/gen $(PACKS)
$(B)/gen/pack_builtin_files.c $(B)/gen/model/machinery.h: $(B)/gen/packs.stamp ;
$(PACKS_OBJECT): $(B)/gen/pack_builtin_files.c $(B)/gen/packs.stamp
	@$(CC) $(CFLAGS) -c -o $@ $<

# ---- plugins: plugins/NAME/*.c with their own copy of base/ become lib/weft-NAME.so, opened at first use (os/plugin.h)
# plugins/NAME/flags.mk says PLUGIN_LIBS_NAME := -l… and, where headers are not found by themselves, PLUGIN_CFLAGS += -I…
-include $(wildcard plugins/*/flags.mk)
PLUGINS := $(sort $(notdir $(patsubst %/,%,$(wildcard plugins/*/))))
plugin_sources = $(wildcard plugins/$(1)/*.c) $(call sources,base)
$(B)/pic/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(SAY) CC -fPIC $<
	$(Q)$(CC) $(CFLAGS) $(PLUGIN_CFLAGS) -fPIC -fvisibility=hidden -MMD -MP -c -o $@ $<
define plugin_rules
$(B)/lib/weft-$(1).so: $(patsubst %.c,$(B)/pic/%.o,$(call plugin_sources,$(1)))
	@mkdir -p $$(@D)
	$(SAY) LINK $$@
	$(Q)$$(CC) $$(LDFLAGS) -shared -o $$@ $$^ $$(PLUGIN_LIBS_$(1)) $(filter-out -lmicrohttpd -lsqlite3 -linih -llua5.4,$(LIBS))
endef
$(foreach p,$(PLUGINS),$(eval $(call plugin_rules,$(p))))
plugins: $(foreach p,$(PLUGINS),$(B)/lib/weft-$(p).so)
all: plugins
.PHONY: plugins

clean:
	rm -rf build
.PHONY: clean

-include tools/targets.mk tests/targets.mk bench/targets.mk
-include $(shell find $(B) -name '*.d' 2>/dev/null)
