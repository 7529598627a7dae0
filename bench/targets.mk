# Benchmarks: never part of a test, since their figures belong to the machine. Included by the Makefile.
bench-ingest: build/weft
	@sh bench/ingest.sh $(ROUNDS) $(SECONDS)
.PHONY: bench-ingest
