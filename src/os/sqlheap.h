/*
 * SQLite's memory, counted: what SQLite allocates on a thread between sqlheap_enter and sqlheap_leave is charged to a
 * budget, and beyond its limit SQLite is told that there is none left, which ends the statement and nothing else.
 * SQLite's own limit (sqlite3_hard_heap_limit64) is of the whole process and would stop the store with the statement.
 *
 *     sqlheap_install();                         once, before SQLite is used for anything
 *     struct sqlheap heap = {.limit = 64 << 20};
 *     struct sqlheap *before = sqlheap_enter(&heap);
 *     … open, prepare, step, close …
 *     sqlheap_leave(before);                     everything charged was freed: heap.used is 0
 */
#ifndef OS_SQLHEAP_H
#define OS_SQLHEAP_H

#include <stdbool.h>
#include <stddef.h>

struct sqlheap {
    size_t limit, used, peak; /* bytes; limit 0: none */
    bool refused;             /* something did not fit */
};

void sqlheap_install(void); /* any thread, again and again */
/* What SQLite takes on this thread counts here from now on (NULL: nowhere); gives what it counted to before. Whoever is
 * called by SQLite and calls another connection enters NULL for that long. */
struct sqlheap *sqlheap_enter(struct sqlheap *heap);
void sqlheap_leave(struct sqlheap *before);
bool sqlheap_take(struct sqlheap *heap, size_t bytes); /* the caller's own memory, counted with it; false: too much */
void sqlheap_give(struct sqlheap *heap, size_t bytes);

#endif
