/*
 * A row is indexed by writing the address of its thing's previous row into its own head: nothing is allocated or
 * copied. Heads of chains stand in pages of 1,024 things, made when one of them first has a row.
 */
#include "store/series_memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/vec.h"
#include "os/thread.h"

#define PAGE_THINGS 1024u
#define DIRECTORY_PAGES 1024u /* pages in one part of the directory */
#define DIRECTORY_PARTS 256u  /* × pages × things covers 2^28 numbers */
#define FIRST_BLOCK ((size_t)64 << 10)
#define BLOCK ((size_t)1 << 20)
#define POOL_BLOCKS_MAX 192 /* kept for later; more goes back to the system */

typedef _Atomic(struct row_head *) Chain;

struct page {
    struct page *next;
    Chain newest[PAGE_THINGS];
};

struct part {
    _Atomic(struct page *) pages[DIRECTORY_PAGES];
};

struct series_pool {
    pthread_mutex_t lock;
    struct series_block *blocks;
    size_t n_blocks;
};

struct series_memory {
    struct series_pool *pool;
    atomic_uint refs;
    struct series_block *blocks; /* the newest first */
    _Atomic uint64_t bytes, rows;
    _Atomic(struct part *) parts[DIRECTORY_PARTS];
    struct page *pages;
    ThingId *things;
    size_t n_things, cap_things;
    Nanos least, greatest;
};

/* ---- blocks */

struct series_pool *series_memory_pool_new(void) {
    struct series_pool *pool = calloc(1, sizeof *pool);
    ASSERT(pool != NULL);
    thread_mutex_init(&pool->lock);
    return pool;
}

static void free_block(struct series_block *block) {
    free(block->bytes);
    free(block);
}

void series_memory_pool_free(struct series_pool *pool) {
    if (!pool) return;
    for (struct series_block *b = pool->blocks, *next; b; b = next) {
        next = b->next;
        free_block(b);
    }
    thread_mutex_fini(&pool->lock);
    free(pool);
}

static struct series_block *take_block(struct series_pool *pool, size_t size) {
    struct series_block *b = NULL;
    if (size == BLOCK) {
        thread_lock(&pool->lock);
        if ((b = pool->blocks)) pool->blocks = b->next, pool->n_blocks--;
        thread_unlock(&pool->lock);
        if (b) return b;
    }
    b = malloc(sizeof *b);
    ASSERT(b != NULL);
    *b = (struct series_block){.cap = size, .bytes = malloc(size)};
    ASSERT(b->bytes != NULL);
    return b;
}

static void give_block(struct series_pool *pool, struct series_block *b) {
    thread_lock(&pool->lock);
    bool keep = b->cap == BLOCK && pool->n_blocks < POOL_BLOCKS_MAX;
    if (keep) {
        b->used = 0;
        b->next = pool->blocks, pool->blocks = b;
        pool->n_blocks++;
    }
    thread_unlock(&pool->lock);
    if (!keep) free_block(b);
}

/* ---- memory */

struct series_memory *series_memory_new(struct series_pool *pool) {
    struct series_memory *memory = calloc(1, sizeof *memory);
    ASSERT(memory != NULL);
    memory->pool = pool;
    memory->least = INT64_MAX, memory->greatest = INT64_MIN;
    atomic_init(&memory->refs, 1);
    return memory;
}

void series_memory_ref(struct series_memory *memory) { atomic_fetch_add(&memory->refs, 1); }

void series_memory_unref(struct series_memory *memory) {
    if (!memory || atomic_fetch_sub(&memory->refs, 1) != 1) return;
    for (struct series_block *b = memory->blocks, *next; b; b = next) {
        next = b->next;
        give_block(memory->pool, b);
    }
    for (struct page *p = memory->pages, *next; p; p = next) {
        next = p->next;
        free(p);
    }
    for (size_t i = 0; i < DIRECTORY_PARTS; i++) free(atomic_load(&memory->parts[i]));
    free(memory->things);
    free(memory);
}

/* The first block of a memory is small, for a server that sees little. */
static size_t block_size(const struct series_memory *memory, size_t n) {
    size_t size = memory->blocks ? BLOCK : FIRST_BLOCK;
    return n > BLOCK ? (n + 4095) & ~(size_t)4095 : n > size ? BLOCK : size;
}

struct series_block *series_memory_reserve(struct series_memory *memory, size_t n) {
    struct series_block *b = memory->blocks;
    if (b && b->cap - b->used >= n) return b;
    b = take_block(memory->pool, block_size(memory, n));
    b->next = memory->blocks;
    memory->blocks = b;
    return b;
}

static Chain *chain_of(const struct series_memory *memory, ThingId thing) {
    uint32_t page = thing / PAGE_THINGS;
    struct part *part = atomic_load_explicit(&memory->parts[page / DIRECTORY_PAGES], memory_order_acquire);
    if (!part) return NULL;
    struct page *p = atomic_load_explicit(&part->pages[page % DIRECTORY_PAGES], memory_order_acquire);
    return p ? &p->newest[thing % PAGE_THINGS] : NULL;
}

static Chain *make_chain(struct series_memory *memory, ThingId thing) {
    uint32_t page = thing / PAGE_THINGS;
    ASSERT(page / DIRECTORY_PAGES < DIRECTORY_PARTS);
    struct part *part = atomic_load(&memory->parts[page / DIRECTORY_PAGES]);
    if (!part) {
        part = calloc(1, sizeof *part);
        ASSERT(part != NULL);
        atomic_store_explicit(&memory->parts[page / DIRECTORY_PAGES], part, memory_order_release);
    }
    struct page *p = calloc(1, sizeof *p);
    ASSERT(p != NULL);
    p->next = memory->pages;
    memory->pages = p;
    atomic_store_explicit(&part->pages[page % DIRECTORY_PAGES], p, memory_order_release);
    return &p->newest[thing % PAGE_THINGS];
}

void series_memory_index(struct series_memory *memory, char *rows, size_t n) {
    uint64_t count = 0;
    for (char *at = rows, *end = rows + n; at < end;) {
        struct row_head *row = (struct row_head *)(void *)at;
        Chain *chain = chain_of(memory, row->thing);
        if (!chain) chain = make_chain(memory, row->thing);
        struct row_head *newest = atomic_load_explicit(chain, memory_order_relaxed);
        if (!newest) VEC_PUSH(memory->things, memory->n_things, memory->cap_things, row->thing);
        if (row->time < memory->least) memory->least = row->time;
        if (row->time > memory->greatest) memory->greatest = row->time;
        row->link = (uint64_t)(uintptr_t)newest;
        atomic_store_explicit(chain, row, memory_order_release);
        at += row->size;
        count++;
    }
    atomic_fetch_add_explicit(&memory->rows, count, memory_order_relaxed);
    atomic_fetch_add_explicit(&memory->bytes, n, memory_order_relaxed);
}

size_t series_memory_bytes(const struct series_memory *memory) { return memory->bytes; }
uint64_t series_memory_rows(const struct series_memory *memory) { return memory->rows; }

void series_memory_times(const struct series_memory *memory, Nanos *least, Nanos *greatest) {
    *least = memory->least, *greatest = memory->greatest;
}

const struct row_head *series_memory_newest(const struct series_memory *memory, ThingId thing) {
    Chain *chain = chain_of(memory, thing);
    return chain ? atomic_load_explicit(chain, memory_order_acquire) : NULL;
}

const struct row_head *series_memory_older(const struct row_head *row) {
    return (const struct row_head *)(uintptr_t)row->link;
}

const ThingId *series_memory_things(const struct series_memory *memory, size_t *n) {
    *n = memory->n_things;
    return memory->things;
}

void series_memory_prefetch(const struct series_memory *memory, ThingId thing) {
    Chain *chain = chain_of(memory, thing);
    if (chain) __builtin_prefetch((const void *)chain, 1);
}
