# Programs that the tests under tests/ need. Included by the Makefile.
$(B)/tests/kill_driver: $(B)/tests/kill_driver.o $(B)/lib/connect.a $(B)/lib/os.a $(B)/lib/base.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

# The tests of the gate alone, for tests/gate_mutants_e2e.sh, which links them with objects that lack a rule.
GATE_TESTS := src/serve/gate_paths_test.c src/serve/api_agreements_test.c src/trust/gate_test.c
GATE_OBJECTS = $(patsubst %.c,$(B)/%.o,$(GATE_TESTS) $(wildcard tests/unit.c $(foreach r,$(call upto,serve,$(ROOMS)),tests/lib/$(r)_*.c)))
GATE_LIBS = $(foreach r,$(call reverse,$(call upto,serve,$(ROOMS))),$(B)/lib/$(r).a) $(LIBS)
$(B)/tests/gate_main.c: $(GATE_TESTS) tests/main.sh
	@mkdir -p $(@D)
	@sh tests/main.sh $(GATE_TESTS) > $@
$(B)/tests/gate: $(B)/tests/gate_main.o $(GATE_OBJECTS) $(foreach r,$(call upto,serve,$(ROOMS)),$(B)/lib/$(r).a) $(CONSOLE)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(B)/tests/gate_main.o $(GATE_OBJECTS) $(CONSOLE) $(GATE_LIBS)
# An object given first stands for the library's member of the same symbols.
gate-mutant:
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $(GATE_PROGRAM) $(MUTANT) $(B)/tests/gate_main.o $(GATE_OBJECTS) $(CONSOLE) $(GATE_LIBS)
.PHONY: gate-mutant

$(B)/tests/import_kill_driver: $(B)/tests/import_kill_driver.o $(B)/tests/lib/os_http_client.o $(B)/tests/unit.o $(B)/lib/os.a $(B)/lib/base.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

# What asks for memory is counted by src/connect/ingest_alloc_test.c.
$(B)/test/connect: private LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup
