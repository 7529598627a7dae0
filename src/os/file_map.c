/*
 * A page that cannot be had arrives as SIGBUS at whoever touches it. The handler puts a page of zeroes in its place
 * when it belongs to a map, and else lets the signal do what it always does. It may run at any moment in any thread, so
 * the list it looks into is one of entries that are never freed, only used again.
 */
#include "os/file_map.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/thread.h"

struct file_map {
    struct file_map *next;      /* all there ever were */
    _Atomic uintptr_t from, to; /* from UINTPTR_MAX: not in use */
    bool taken;
};

/* What a signal's handler sees has to be the process's own: there is no other way to hand it anything. */
static _Atomic(struct file_map *) all_maps;
static ThreadMutex changing = THREAD_MUTEX_INIT;

static bool put_zeroes(uintptr_t at) {
    uintptr_t page = at & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
    return mmap((void *)page, (size_t)sysconf(_SC_PAGESIZE), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                0) != MAP_FAILED;
}

static void page_is_missing(int number, siginfo_t *info, void *context) {
    (void)context;
    uintptr_t at = (uintptr_t)info->si_addr;
    for (struct file_map *m = atomic_load(&all_maps); m; m = m->next)
        if (at >= atomic_load(&m->from) && at < atomic_load(&m->to) && put_zeroes(at)) return;
    signal(number, SIG_DFL); /* it comes again at once, and ends the process */
}

/* With `changing` held. */
static struct file_map *take_entry(void) {
    struct file_map *m = atomic_load(&all_maps);
    if (!m) {
        struct sigaction action = {.sa_sigaction = page_is_missing, .sa_flags = SA_SIGINFO};
        sigemptyset(&action.sa_mask);
        if (sigaction(SIGBUS, &action, NULL) != 0) return NULL;
    }
    while (m && m->taken) m = m->next;
    if (!m) {
        m = calloc(1, sizeof *m);
        ASSERT(m != NULL);
        m->next = atomic_load(&all_maps);
        atomic_store(&all_maps, m);
    }
    m->taken = true;
    return m;
}

struct file_map *file_map_new(const struct file *file, uint64_t size) {
    int fd = file_disk_fd(file);
    if (fd < 0 || size == 0 || size > SIZE_MAX / 2) return NULL;
    char *bytes = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED) return NULL;
    thread_lock(&changing);
    struct file_map *m = take_entry();
    if (m) {
        atomic_store(&m->to, (uintptr_t)bytes + size);
        atomic_store(&m->from, (uintptr_t)bytes);
    }
    thread_unlock(&changing);
    if (!m) munmap(bytes, (size_t)size);
    return m;
}

void file_map_free(struct file_map *m) {
    if (!m) return;
    Str bytes = file_map_bytes(m);
    thread_lock(&changing);
    atomic_store(&m->from, UINTPTR_MAX);
    munmap((void *)(uintptr_t)bytes.ptr, bytes.len);
    m->taken = false;
    thread_unlock(&changing);
}

Str file_map_bytes(const struct file_map *m) {
    uintptr_t from = atomic_load(&m->from);
    return (Str){(const char *)from, (size_t)(atomic_load(&m->to) - from)};
}
