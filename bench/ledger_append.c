/*
 * Durable entries a second of the ledger, by the size of the group, beside the limit: the same bytes appended to a file
 * and synced, with no tree over them. Each line is one second of each.
 *
 *     build/release/bench/ledger_append DIR
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "os/clock.h"
#include "os/file.h"
#include "trust/ledger.h"

static double per_second(uint64_t n, Nanos from) { return (double)n / ((double)(clock_monotonic() - from) / 1e9); }

static void must(Err err) {
    if (err.code == ERR_NONE) return;
    fprintf(stderr, "ledger_append: %s\n", err.text);
    exit(1);
}

static double raw(const char *dir, size_t group) {
    char path[512];
    struct file *file;
    unsigned char *bytes = calloc(group, 32);
    ASSERT(bytes);
    snprintf(path, sizeof path, "%s/raw", dir);
    must(file_open(file_disk, path, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, &file));
    uint64_t n = 0;
    Nanos from = clock_monotonic();
    for (; clock_monotonic() - from < NANOS_PER_S; n += group) {
        must(file_write(file, bytes, 32 * group, 32 * n));
        must(file_sync(file, "bench"));
    }
    double rate = per_second(n, from);
    file_close(file);
    free(bytes);
    return rate;
}

static double add(struct ledger *ledger, size_t group) {
    LedgerLeaf *leaves = calloc(group, sizeof *leaves);
    ASSERT(leaves);
    uint64_t n = 0, first;
    Nanos from = clock_monotonic();
    for (; clock_monotonic() - from < NANOS_PER_S; n += group) {
        for (size_t i = 0; i < group; i++) memcpy(leaves[i].bytes, &(uint64_t){n + i}, 8);
        must(ledger_add(ledger, leaves, group, &first));
    }
    double rate = per_second(n, from);
    free(leaves);
    return rate;
}

static double hashes(void) {
    unsigned char bytes[65] = {1}, out[32];
    uint64_t n = 0;
    Nanos from = clock_monotonic();
    for (; clock_monotonic() - from < NANOS_PER_S / 4; n += 1000)
        for (int i = 0; i < 1000; i++) {
            sha256_bytes(bytes, sizeof bytes, out);
            memcpy(bytes + 1, out, 32);
        }
    return per_second(n, from);
}

int main(int argc, char **argv) {
    static const size_t groups[] = {1, 16, 256, 4096, 16384};
    struct ledger *ledger = NULL;
    if (argc != 2) return fprintf(stderr, "usage: ledger_append DIR\n"), 2;
    must(file_make_dirs(file_disk, argv[1], "bench"));
    must(ledger_open(&(struct ledger_options){.dir = argv[1]}, &ledger));
    printf("inner nodes hashed, one thread: %.0f/s\n", hashes());
    printf("%8s %16s %16s %8s\n", "group", "ledger entries/s", "file entries/s", "ratio");
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        double limit = raw(argv[1], groups[i]), rate = add(ledger, groups[i]);
        printf("%8zu %16.0f %16.0f %8.2f\n", groups[i], rate, limit, rate / limit);
        fflush(stdout);
    }
    ledger_close(ledger);
    return 0;
}
