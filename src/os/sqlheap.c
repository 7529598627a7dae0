/*
 * Before each piece of memory stand its size and the budget it was charged to, so that it is given back to that one
 * whoever frees it, and whatever the thread counts to by then. A budget belongs to one thread, so it takes no lock.
 */
#include "os/sqlheap.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct head { /* 16 bytes: what follows stays aligned for anything */
    struct sqlheap *heap;
    size_t size;
};
_Static_assert(sizeof(struct head) == 16, "what follows it is aligned to 16");

static _Thread_local struct sqlheap *current;

bool sqlheap_take(struct sqlheap *heap, size_t bytes) {
    if (!heap) return true;
    if (heap->limit && (bytes > heap->limit || heap->used > heap->limit - bytes)) {
        heap->refused = true;
        return false;
    }
    heap->used += bytes;
    if (heap->used > heap->peak) heap->peak = heap->used;
    return true;
}

void sqlheap_give(struct sqlheap *heap, size_t bytes) {
    if (!heap) return;
    ASSERT(heap->used >= bytes);
    heap->used -= bytes;
}

static void *take(int n) {
    if (n <= 0 || !sqlheap_take(current, (size_t)n)) return NULL;
    struct head *head = malloc(sizeof *head + (size_t)n);
    if (!head) {
        sqlheap_give(current, (size_t)n);
        return NULL;
    }
    *head = (struct head){current, (size_t)n};
    return head + 1;
}

static void give(void *memory) {
    struct head *head = memory;
    if (!head) return;
    head--;
    sqlheap_give(head->heap, head->size);
    free(head);
}

static void *resize(void *memory, int n) {
    if (!memory) return take(n);
    struct head *head = (struct head *)memory - 1;
    size_t old = head->size, size = (size_t)n;
    if (n <= 0) return NULL;
    if (size > old && !sqlheap_take(head->heap, size - old)) return NULL;
    struct head *moved = realloc(head, sizeof *head + size);
    if (!moved) {
        if (size > old) sqlheap_give(head->heap, size - old);
        return NULL;
    }
    if (size < old) sqlheap_give(moved->heap, old - size);
    moved->size = size;
    return moved + 1;
}

static int size_of(void *memory) { return memory ? (int)((struct head *)memory - 1)->size : 0; }
static int round_up(int n) { return (n + 7) & ~7; }
static int start(void *ctx) {
    (void)ctx;
    return SQLITE_OK;
}
static void stop(void *ctx) { (void)ctx; }

static void install(void) {
    static const sqlite3_mem_methods methods = {take, give, resize, size_of, round_up, start, stop, NULL};
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* nobody asks, and it costs a lock each time */
    /* refused once SQLite has started: whoever opens a database calls sqlheap_install before */
    ASSERT(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK);
}

void sqlheap_install(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
}

struct sqlheap *sqlheap_enter(struct sqlheap *heap) {
    struct sqlheap *before = current;
    current = heap;
    return before;
}

void sqlheap_leave(struct sqlheap *before) { current = before; }
