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
