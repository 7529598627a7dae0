/*
 * Follows what SQLite's own unix layer promises and no more: a write is not durable until synced, a new log's directory
 * entry not until the folder is. Everything that crosses connections (file locks, the shared index of the log) stands
 * in a node a file name, under one mutex.
 */
#include "store/sqlite_vfs.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "os/process.h"
#include "os/sqlheap.h"
#include "os/thread.h"

#define PATH_BYTES 4096
#define SECTOR_BYTES 4096

struct node {
    struct node *next;
    char *path;
    unsigned refs, n_shared;
    void *reserved, *pending, *exclusive; /* the open file that holds it */
    void **regions;                       /* shared index */
    int n_regions;
    unsigned shm_shared[SQLITE_SHM_NLOCK];
    void *shm_exclusive[SQLITE_SHM_NLOCK];
};

struct disk {
    sqlite3_vfs vfs;
    char name[SQLITE_VFS_NAME_MAX];
    struct file_system *fs;
    pthread_mutex_t lock;
    struct node *nodes;
};

struct open_file {
    sqlite3_file base;
    struct disk *disk;
    struct file *file;
    struct node *node;
    const char *site;
    char path[PATH_BYTES];
    bool sync_dir;
    int level;
    unsigned shm_shared, shm_exclusive; /* masks of what this file holds */
};

static struct open_file *self(sqlite3_file *file) { return (struct open_file *)file; }
static struct disk *disk_of(sqlite3_vfs *vfs) { return vfs->pAppData; }

static void folder_of(const char *path, char out[PATH_BYTES]) {
    snprintf(out, PATH_BYTES, "%s", path);
    char *slash = strrchr(out, '/');
    if (slash)
        *slash = 0;
    else
        snprintf(out, PATH_BYTES, ".");
}

static int sync_folder(struct disk *disk, const char *path) {
    char folder[PATH_BYTES];
    folder_of(path, folder);
    Err err = file_sync_dir(disk->fs, folder, "records.dir");
    return err.code == ERR_NONE ? SQLITE_OK : SQLITE_IOERR_DIR_FSYNC;
}

/* ---- nodes */

static struct node *take_node(struct disk *disk, const char *path) {
    thread_lock(&disk->lock);
    struct node *node = disk->nodes;
    while (node && strcmp(node->path, path) != 0) node = node->next;
    if (!node) {
        node = calloc(1, sizeof *node);
        ASSERT(node);
        node->path = strdup(path);
        ASSERT(node->path);
        node->next = disk->nodes;
        disk->nodes = node;
    }
    node->refs++;
    thread_unlock(&disk->lock);
    return node;
}

static void drop_regions(struct node *node) {
    for (int i = 0; i < node->n_regions; i++) free(node->regions[i]);
    free(node->regions);
    node->regions = NULL;
    node->n_regions = 0;
}

static void give_node(struct disk *disk, struct node *node) {
    thread_lock(&disk->lock);
    bool last = --node->refs == 0;
    for (struct node **at = &disk->nodes; last && *at; at = &(*at)->next) {
        if (*at != node) continue;
        *at = node->next;
        break;
    }
    thread_unlock(&disk->lock);
    if (!last) return;
    drop_regions(node);
    free(node->path);
    free(node);
}

/* ---- files */

static int vfs_read(sqlite3_file *file, void *into, int n, sqlite3_int64 at) {
    size_t got = 0;
    Err err = file_read(self(file)->file, into, (size_t)n, (uint64_t)at, &got);
    if (err.code != ERR_NONE) return SQLITE_IOERR_READ;
    if (got == (size_t)n) return SQLITE_OK;
    memset((char *)into + got, 0, (size_t)n - got);
    return SQLITE_IOERR_SHORT_READ;
}

static int vfs_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 at) {
    Err err = file_write(self(file)->file, from, (size_t)n, (uint64_t)at);
    return err.code == ERR_NONE ? SQLITE_OK : SQLITE_IOERR_WRITE;
}

static int vfs_truncate(sqlite3_file *file, sqlite3_int64 size) {
    Err err = file_truncate(self(file)->file, (uint64_t)size);
    return err.code == ERR_NONE ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

static int vfs_sync(sqlite3_file *file, int flags) {
    struct open_file *f = self(file);
    (void)flags;
    Err err = file_sync(f->file, f->site);
    if (err.code != ERR_NONE) return SQLITE_IOERR_FSYNC;
    if (!f->sync_dir) return SQLITE_OK;
    int rc = sync_folder(f->disk, f->path);
    if (rc == SQLITE_OK) f->sync_dir = false;
    return rc;
}

static int vfs_size(sqlite3_file *file, sqlite3_int64 *out) {
    uint64_t size = 0;
    Err err = file_size(self(file)->file, &size);
    *out = (sqlite3_int64)size;
    return err.code == ERR_NONE ? SQLITE_OK : SQLITE_IOERR_FSTAT;
}

/* ---- locks of the database file */

static bool may_lock(const struct open_file *f, const struct node *node, int level) {
    bool others_exclusive = node->exclusive && node->exclusive != f;
    bool others_pending = node->pending && node->pending != f;
    if (level == SQLITE_LOCK_SHARED) return !others_exclusive && !others_pending;
    if (level == SQLITE_LOCK_RESERVED) return !node->reserved || node->reserved == f;
    return !others_exclusive && !others_pending;
}

static int vfs_lock(sqlite3_file *file, int level) {
    struct open_file *f = self(file);
    struct node *node = f->node;
    int rc = SQLITE_OK;
    if (f->level >= level) return SQLITE_OK;
    thread_lock(&f->disk->lock);
    if (!may_lock(f, node, level)) {
        rc = SQLITE_BUSY;
    } else if (level == SQLITE_LOCK_SHARED) {
        node->n_shared++;
    } else if (level == SQLITE_LOCK_RESERVED) {
        node->reserved = f;
    } else {
        node->pending = f;
        if (node->n_shared > 1)
            rc = SQLITE_BUSY;
        else
            node->exclusive = f;
    }
    if (rc == SQLITE_OK)
        f->level = level;
    else if (node->pending == f)
        f->level = SQLITE_LOCK_PENDING;
    thread_unlock(&f->disk->lock);
    return rc;
}

static void unlock_to(struct open_file *f, int level) {
    struct node *node = f->node;
    if (f->level <= level) return;
    thread_lock(&f->disk->lock);
    if (node->exclusive == f) node->exclusive = NULL;
    if (node->pending == f) node->pending = NULL;
    if (node->reserved == f) node->reserved = NULL;
    if (level == SQLITE_LOCK_NONE) node->n_shared--;
    f->level = level;
    thread_unlock(&f->disk->lock);
}

static int vfs_unlock(sqlite3_file *file, int level) {
    unlock_to(self(file), level);
    return SQLITE_OK;
}

static int vfs_check_reserved(sqlite3_file *file, int *out) {
    struct open_file *f = self(file);
    thread_lock(&f->disk->lock);
    *out = f->node->reserved != NULL;
    thread_unlock(&f->disk->lock);
    return SQLITE_OK;
}

/* ---- the log's shared index */

static int vfs_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **out) {
    struct open_file *f = self(file);
    struct node *node = f->node;
    *out = NULL;
    thread_lock(&f->disk->lock);
    if (region >= node->n_regions && extend) {
        void **regions = realloc(node->regions, (size_t)(region + 1) * sizeof *regions);
        ASSERT(regions);
        node->regions = regions;
        while (node->n_regions <= region) {
            void *memory = calloc(1, (size_t)size);
            ASSERT(memory);
            node->regions[node->n_regions++] = memory;
        }
    }
    if (region < node->n_regions) *out = node->regions[region];
    thread_unlock(&f->disk->lock);
    return SQLITE_OK;
}

static bool shm_free(const struct node *node, const struct open_file *f, int slot, bool exclusive) {
    if (node->shm_exclusive[slot] && node->shm_exclusive[slot] != f) return false;
    unsigned others = node->shm_shared[slot] - (f->shm_shared >> slot & 1);
    return !exclusive || others == 0;
}

static void shm_give(struct node *node, struct open_file *f, int slot) {
    unsigned bit = 1u << slot;
    if (f->shm_shared & bit) node->shm_shared[slot]--;
    if (f->shm_exclusive & bit) node->shm_exclusive[slot] = NULL;
    f->shm_shared &= ~bit;
    f->shm_exclusive &= ~bit;
}

static void shm_take(struct node *node, struct open_file *f, int slot, bool exclusive) {
    unsigned bit = 1u << slot;
    if (exclusive) {
        node->shm_exclusive[slot] = f;
        f->shm_exclusive |= bit;
    } else if (!(f->shm_shared & bit)) {
        node->shm_shared[slot]++;
        f->shm_shared |= bit;
    }
}

static int vfs_shm_lock(sqlite3_file *file, int offset, int n, int flags) {
    struct open_file *f = self(file);
    struct node *node = f->node;
    bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0, free_all = true;
    thread_lock(&f->disk->lock);
    for (int i = offset; i < offset + n; i++) {
        if (flags & SQLITE_SHM_UNLOCK)
            shm_give(node, f, i);
        else
            free_all = free_all && shm_free(node, f, i, exclusive);
    }
    for (int i = offset; free_all && !(flags & SQLITE_SHM_UNLOCK) && i < offset + n; i++)
        shm_take(node, f, i, exclusive);
    thread_unlock(&f->disk->lock);
    return free_all ? SQLITE_OK : SQLITE_BUSY;
}

static void vfs_shm_barrier(sqlite3_file *file) {
    struct open_file *f = self(file); /* the mutex also orders it for tools that do not know fences */
    thread_lock(&f->disk->lock);
    atomic_thread_fence(memory_order_seq_cst);
    thread_unlock(&f->disk->lock);
}

static int vfs_shm_unmap(sqlite3_file *file, int remove) {
    struct open_file *f = self(file);
    thread_lock(&f->disk->lock);
    for (int i = 0; i < SQLITE_SHM_NLOCK; i++) shm_give(f->node, f, i);
    if (remove) drop_regions(f->node);
    thread_unlock(&f->disk->lock);
    return SQLITE_OK;
}

/* ---- the rest of a file */

static int vfs_control(sqlite3_file *file, int op, void *arg) {
    (void)file, (void)op, (void)arg;
    return SQLITE_NOTFOUND;
}

static int vfs_sector(sqlite3_file *file) {
    (void)file;
    return SECTOR_BYTES;
}

static int vfs_traits(sqlite3_file *file) {
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE; /* as the unix layer says of every disk */
}

static int vfs_close(sqlite3_file *file) {
    struct open_file *f = self(file);
    unlock_to(f, SQLITE_LOCK_NONE);
    vfs_shm_unmap(file, 0);
    give_node(f->disk, f->node);
    file_close(f->file);
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = vfs_close,
    .xRead = vfs_read,
    .xWrite = vfs_write,
    .xTruncate = vfs_truncate,
    .xSync = vfs_sync,
    .xFileSize = vfs_size,
    .xLock = vfs_lock,
    .xUnlock = vfs_unlock,
    .xCheckReservedLock = vfs_check_reserved,
    .xFileControl = vfs_control,
    .xSectorSize = vfs_sector,
    .xDeviceCharacteristics = vfs_traits,
    .xShmMap = vfs_shm_map,
    .xShmLock = vfs_shm_lock,
    .xShmBarrier = vfs_shm_barrier,
    .xShmUnmap = vfs_shm_unmap,
};

/* ---- the file system */

static const char *site_of(int flags) {
    if (flags & SQLITE_OPEN_MAIN_DB) return "records.db";
    return flags & SQLITE_OPEN_WAL ? "records.wal" : "records.journal";
}

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out_flags) {
    struct open_file *f = self(file);
    struct disk *disk = disk_of(vfs);
    memset(f, 0, sizeof *f);
    if (!path || strlen(path) >= PATH_BYTES) return SQLITE_CANTOPEN; /* temporary files are kept in memory */
    unsigned how = FILE_READ;
    if (flags & SQLITE_OPEN_READWRITE) how |= FILE_WRITE;
    if (flags & SQLITE_OPEN_CREATE) how |= FILE_CREATE;
    Err err = file_open(disk->fs, path, how, &f->file);
    if (err.code != ERR_NONE) return SQLITE_CANTOPEN;
    f->base.pMethods = &methods;
    f->disk = disk;
    f->site = site_of(flags);
    f->sync_dir = (flags & SQLITE_OPEN_CREATE) && !(flags & SQLITE_OPEN_MAIN_DB);
    snprintf(f->path, sizeof f->path, "%s", path);
    f->node = take_node(disk, path);
    if (out_flags) *out_flags = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync_dir) {
    struct disk *disk = disk_of(vfs);
    Err err = file_remove(disk->fs, path);
    if (err.code == ERR_NOT_FOUND) return SQLITE_IOERR_DELETE_NOENT;
    if (err.code != ERR_NONE) return SQLITE_IOERR_DELETE;
    return sync_dir ? sync_folder(disk, path) : SQLITE_OK;
}

/* Like the unix layer, an empty file does not count as there: an empty journal is no journal. */
static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *out) {
    struct file *file;
    uint64_t size = 0;
    *out = 0;
    if (file_open(disk_of(vfs)->fs, path, FILE_READ, &file).code != ERR_NONE) return SQLITE_OK;
    *out = flags != SQLITE_ACCESS_EXISTS || (file_size(file, &size).code == ERR_NONE && size > 0);
    file_close(file);
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *path, int n, char *out) {
    (void)vfs;
    return snprintf(out, (size_t)n, "%s", path) < n ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int vfs_random(sqlite3_vfs *vfs, int n, char *out) {
    (void)vfs;
    process_random(out, (size_t)n);
    return n;
}

static int vfs_sleep(sqlite3_vfs *vfs, int micros) {
    (void)vfs;
    clock_sleep(micros * NANOS_PER_US);
    return micros;
}

#define JULIAN_1970_MS INT64_C(210866760000000)

static int vfs_time64(sqlite3_vfs *vfs, sqlite3_int64 *out) {
    (void)vfs;
    *out = JULIAN_1970_MS + clock_now(&clock_system) / NANOS_PER_MS;
    return SQLITE_OK;
}

static int vfs_time(sqlite3_vfs *vfs, double *out) {
    sqlite3_int64 ms;
    vfs_time64(vfs, &ms);
    *out = (double)ms / 86400000.0;
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int n, char *out) {
    (void)vfs, (void)n, (void)out;
    return 0;
}

void sqlite_vfs_name(const struct file_system *fs, char out[SQLITE_VFS_NAME_MAX]) {
    snprintf(out, SQLITE_VFS_NAME_MAX, "weft-%p", (const void *)fs);
}

Err sqlite_vfs_add(struct file_system *fs) {
    struct disk *disk = calloc(1, sizeof *disk);
    ASSERT(disk);
    sqlite_vfs_name(fs, disk->name);
    if (sqlite3_vfs_find(disk->name)) {
        free(disk);
        return err_make(ERR_CONFLICT, "the records of this file system are open already");
    }
    disk->fs = fs;
    thread_mutex_init(&disk->lock);
    disk->vfs = (sqlite3_vfs){.iVersion = 2,
                              .szOsFile = sizeof(struct open_file),
                              .mxPathname = PATH_BYTES - 1,
                              .zName = disk->name,
                              .pAppData = disk,
                              .xOpen = vfs_open,
                              .xDelete = vfs_delete,
                              .xAccess = vfs_access,
                              .xFullPathname = vfs_full_path,
                              .xRandomness = vfs_random,
                              .xSleep = vfs_sleep,
                              .xCurrentTime = vfs_time,
                              .xGetLastError = vfs_last_error,
                              .xCurrentTimeInt64 = vfs_time64};
    sqlheap_install();
    int rc = sqlite3_vfs_register(&disk->vfs, 0);
    ASSERT(rc == SQLITE_OK);
    return err_none();
}

void sqlite_vfs_remove(const char *name) {
    sqlite3_vfs *vfs = sqlite3_vfs_find(name);
    if (!vfs) return;
    struct disk *disk = disk_of(vfs);
    sqlite3_vfs_unregister(vfs);
    ASSERT(!disk->nodes);
    thread_mutex_fini(&disk->lock);
    free(disk);
}
