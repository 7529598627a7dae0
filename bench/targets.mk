# Benchmarks: never part of a test, since their figures belong to the machine. Included by the Makefile.
bench-ingest: build/weft
	@sh bench/ingest.sh $(ROUNDS) $(SECONDS)
.PHONY: bench-ingest

# Durable documents a second, in a fresh folder under build/.
$(B)/bench/document_rate: $(B)/bench/document_rate.o $(foreach r,$(call upto,document,$(ROOMS)),$(B)/lib/$(r).a)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(foreach r,$(call reverse,$(call upto,document,$(ROOMS))),$(B)/lib/$(r).a) $(LIBS)
bench-documents: $(B)/bench/document_rate
	@rm -rf build/bench-documents
	@$(B)/bench/document_rate build/bench-documents
.PHONY: bench-documents

# bench/X.c, linked with the rooms up to the one it measures
bench/series_append: $(B)/bench/series_append
	@$< $(ARGS)
$(B)/bench/series_append: $(B)/bench/series_append.o $(foreach r,$(call upto,store,$(ROOMS)),$(B)/lib/$(r).a)
	$(CC) $(LDFLAGS) -o $@ $< $(foreach r,$(call reverse,$(call upto,store,$(ROOMS))),$(B)/lib/$(r).a) $(LIBS)
.PHONY: bench/series_append
$(B)/bench/series_batch: $(B)/bench/series_batch.o $(foreach r,$(call upto,store,$(ROOMS)),$(B)/lib/$(r).a)
	$(CC) $(LDFLAGS) -o $@ $< $(foreach r,$(call reverse,$(call upto,store,$(ROOMS))),$(B)/lib/$(r).a) $(LIBS)

$(B)/bench/ledger_append: $(B)/bench/ledger_append.o $(foreach r,$(call upto,trust,$(ROOMS)),$(B)/lib/$(r).a)
	$(CC) $(LDFLAGS) -o $@ $< $(foreach r,$(call reverse,$(call upto,trust,$(ROOMS))),$(B)/lib/$(r).a) $(LIBS)

# What bench/documents.sh runs: the client, and the peer, a small server straight on PostgreSQL
$(B)/bench/http_load: $(B)/bench/http_load.o $(B)/lib/os.a $(B)/lib/base.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
$(B)/bench/peer_libpq.o: CFLAGS += -I/usr/include/postgresql
$(B)/bench/peer_libpq: $(B)/bench/peer_libpq.o $(B)/lib/base.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -lpq
bench-documents-http: build/weft $(B)/bench/http_load $(B)/bench/peer_libpq
	@sh bench/documents.sh $(ROUNDS) $(SECONDS)
.PHONY: bench-documents-http
$(B)/bench/gate_cost: $(B)/bench/gate_cost.o $(foreach r,$(call upto,document,$(ROOMS)),$(B)/lib/$(r).a)
	$(CC) $(LDFLAGS) -o $@ $< $(foreach r,$(call reverse,$(call upto,document,$(ROOMS))),$(B)/lib/$(r).a) $(LIBS)

# A table of half a million rows becomes documents while others work.
$(B)/bench/import_rate: $(B)/bench/import_rate.o $(foreach r,$(call upto,document,$(ROOMS)),$(B)/lib/$(r).a) | plugins
	$(CC) $(LDFLAGS) -o $@ $< $(foreach r,$(call reverse,$(call upto,document,$(ROOMS))),$(B)/lib/$(r).a) $(LIBS)
bench-import:
	@sh bench/import.sh
.PHONY: bench-import
$(B)/bench/disclosure_rate: $(B)/bench/disclosure_rate.o $(foreach r,$(call upto,trust,$(ROOMS)),$(B)/lib/$(r).a)
	$(CC) $(LDFLAGS) -o $@ $< $(foreach r,$(call reverse,$(call upto,trust,$(ROOMS))),$(B)/lib/$(r).a) $(LIBS)
bench-sharing:
	@sh bench/sharing.sh
.PHONY: bench-sharing
