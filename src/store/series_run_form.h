/* What the run's writer and reader agree on: a head, chunks, pages of the index, a table of the pages, a foot. */
#ifndef STORE_SERIES_RUN_FORM_H
#define STORE_SERIES_RUN_FORM_H

#include "store/series_run.h"

#define SERIES_RUN_MAGIC "WEFTRUN1"
#define SERIES_RUN_VERSION                                                                                             \
    3u /* 1: columns as one; 2: kernel/compress_split.h too; 3: blocks too, see kernel/compress.h */
#define SERIES_RUN_PAGE 128u /* entries; the last page has fewer */
#define SERIES_RUN_PAGES_MAX (UINT32_C(1) << 26)

struct series_run_head {
    char magic[8];
    uint32_t version, class; /* class: of retention */
    uint64_t id;
    Nanos from, to;
    uint64_t level, zero, checksum; /* level: 0 rows; else roll-ups, or newest values */
};

/* Behind each page's entries stands their checksum. One of these a page: */
struct series_run_page {
    uint64_t first_key, last_key;
};

struct series_run_foot {
    char magic[8];
    uint64_t id, n_chunks, n_rows, n_values;
    Nanos least, greatest;
    uint64_t pages_offset, table_offset;
    uint32_t n_pages, version;
    uint64_t table_checksum;
    uint64_t zero[4], checksum;
};

#endif
