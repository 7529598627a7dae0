#include "tests/lib/store_cutfs.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/vec.h"
#include "os/thread.h"

#define SECTOR 512
#define SITES_MAX 128
#define NAME_BYTES 128

/* One change of a file that was not synced yet: bytes written, or (bytes NULL) a new size. */
struct write_op {
    uint64_t at;
    size_t n;
    char *bytes;
};

struct image {
    char *bytes;
    uint64_t size;
    size_t cap;
};

struct entry {
    char name[NAME_BYTES];
    struct inode *inode;
};

struct entries {
    struct entry *items;
    size_t n, cap;
};

/* One change of a directory: `name` becomes inode, or (NULL) goes; a rename also takes `from` away. */
struct dir_op {
    char name[NAME_BYTES], from[NAME_BYTES];
    struct inode *inode;
};

struct inode {
    struct inode *next; /* of all there ever were; freed with the disk */
    bool is_dir;
    struct image now, synced;
    struct write_op *writes;
    size_t n_writes, cap_writes;
    struct entries entries, synced_entries;
    struct dir_op *dir_ops;
    size_t n_dir_ops, cap_dir_ops;
};

struct site {
    const char *name;
    uint64_t count;
};

struct store_cutfs {
    struct file_system fs;
    pthread_mutex_t lock;
    struct inode *inodes, *root;
    uint64_t random, changes, calls, cut_at, life; /* life: files of an earlier one are dead */
    bool off;
    enum store_cutfs_failure failure;
    uint64_t fail_from, fail_times;
    struct site sites[SITES_MAX];
    const char *names[SITES_MAX];
    size_t n_sites;
    char ignored[NAME_BYTES], cut_site[NAME_BYTES];
    uint64_t cut_nth;
};

struct cut_file {
    struct file base;
    struct inode *inode;
    uint64_t life;
};

static struct store_cutfs *disk_of(struct file_system *fs) { return fs->state; }

static uint64_t draw(struct store_cutfs *d) {
    d->random ^= d->random << 13, d->random ^= d->random >> 7, d->random ^= d->random << 17;
    return d->random * UINT64_C(0x9e3779b97f4a7c15) >> 11;
}

/* ---- images */

static void resize(struct image *image, uint64_t size) {
    if (size > image->cap) {
        size_t cap = image->cap ? image->cap : SECTOR;
        while (cap < size) cap *= 2;
        image->bytes = realloc(image->bytes, cap);
        ASSERT(image->bytes != NULL);
        image->cap = cap;
    }
    if (size > image->size) memset(image->bytes + image->size, 0, (size_t)(size - image->size));
    image->size = size;
}

static void apply(struct image *image, const struct write_op *op) {
    if (!op->bytes) {
        resize(image, op->at);
        return;
    }
    if (op->at + op->n > image->size) resize(image, op->at + op->n);
    memcpy(image->bytes + op->at, op->bytes, op->n);
}

/* Some of the write's sectors. */
static void apply_torn(struct store_cutfs *d, struct image *image, const struct write_op *op) {
    for (uint64_t at = op->at, end = op->at + op->n; at < end;) {
        uint64_t stop = (at / SECTOR + 1) * SECTOR < end ? (at / SECTOR + 1) * SECTOR : end;
        if (draw(d) & 1) apply(image, &(struct write_op){at, (size_t)(stop - at), op->bytes + (at - op->at)});
        at = stop;
    }
}

static void drop_writes(struct inode *inode) {
    for (size_t i = 0; i < inode->n_writes; i++) free(inode->writes[i].bytes);
    inode->n_writes = 0;
}

static void copy_image(struct image *to, const struct image *from) {
    to->size = 0;
    resize(to, from->size);
    if (from->size) memcpy(to->bytes, from->bytes, (size_t)from->size);
}

/* ---- directories */

static struct entry *find_entry(const struct entries *entries, const char *name) {
    for (size_t i = 0; i < entries->n; i++)
        if (strcmp(entries->items[i].name, name) == 0) return &entries->items[i];
    return NULL;
}

static void put_name(char out[NAME_BYTES], const char *name) {
    ASSERT(strlen(name) < NAME_BYTES);
    strcpy(out, name);
}

static void set_entry(struct entries *entries, const char *name, struct inode *inode) {
    struct entry *e = find_entry(entries, name);
    if (e && inode) {
        e->inode = inode;
    } else if (e) {
        *e = entries->items[--entries->n];
    } else if (inode) {
        struct entry fresh = {.inode = inode};
        put_name(fresh.name, name);
        VEC_PUSH(entries->items, entries->n, entries->cap, fresh);
    }
}

static void apply_dir(struct entries *entries, const struct dir_op *op) {
    if (op->from[0]) set_entry(entries, op->from, NULL);
    set_entry(entries, op->name, op->inode);
}

static void change_dir(struct inode *dir, const char *name, const char *from, struct inode *inode) {
    struct dir_op op = {.inode = inode};
    put_name(op.name, name);
    put_name(op.from, from);
    apply_dir(&dir->entries, &op);
    VEC_PUSH(dir->dir_ops, dir->n_dir_ops, dir->cap_dir_ops, op);
}

static void copy_entries(struct entries *to, const struct entries *from) {
    to->n = 0;
    for (size_t i = 0; i < from->n; i++) VEC_PUSH(to->items, to->n, to->cap, from->items[i]);
}

static struct inode *new_inode(struct store_cutfs *d, bool is_dir) {
    struct inode *inode = calloc(1, sizeof *inode);
    ASSERT(inode != NULL);
    inode->is_dir = is_dir;
    inode->next = d->inodes;
    d->inodes = inode;
    return inode;
}

/* The folder of a path's last part, and that part; NULL when a folder on the way is absent. "" for the root itself. */
static struct inode *walk(struct store_cutfs *d, const char *path, char last[NAME_BYTES]) {
    struct inode *dir = d->root;
    Str rest = str_c(path), part;
    last[0] = '\0';
    while (rest.len) {
        str_cut(rest, '/', &part, &rest);
        if (part.len == 0 || str_eq_c(part, ".")) continue;
        if (last[0]) {
            struct entry *e = find_entry(&dir->entries, last);
            if (!e || !e->inode->is_dir) return NULL;
            dir = e->inode;
        }
        ASSERT(part.len < NAME_BYTES);
        memcpy(last, part.ptr, part.len);
        last[part.len] = '\0';
    }
    return dir;
}

/* ---- counting, cutting, failing */

static Err off_error(void) { return err_make(ERR_IO, "the power is off"); }

static Err planned_failure(struct store_cutfs *d) {
    d->calls++;
    if (d->fail_times == 0 || d->calls < d->fail_from) return err_none();
    if (d->fail_times != UINT64_MAX) d->fail_times--;
    return err_make(ERR_IO, "%s", d->failure == STORE_CUTFS_ENOSPC ? "no space left on device" : "input/output error");
}

static Err begin_call(struct store_cutfs *d, const struct cut_file *file) {
    if (d->off || (file && file->life != d->life)) return off_error();
    return planned_failure(d);
}

static Err begin_change(struct store_cutfs *d, const struct cut_file *file) {
    if (d->off || (file && file->life != d->life)) return off_error();
    if (d->cut_at && d->changes + 1 >= d->cut_at) {
        d->off = true;
        return off_error();
    }
    d->changes++;
    return planned_failure(d);
}

/* ---- file_ops */

static Err open_inode(struct store_cutfs *d, const char *path, unsigned flags, struct inode **out) {
    char name[NAME_BYTES];
    struct inode *dir = walk(d, path, name);
    struct entry *e = dir && name[0] ? find_entry(&dir->entries, name) : NULL;
    *out = e ? e->inode : dir && !name[0] ? d->root : NULL;
    if (*out && (flags & FILE_EXCLUSIVE)) return err_make(ERR_CONFLICT, "cannot create '%s': it is there", path);
    if (*out && (*out)->is_dir != ((flags & FILE_DIR) != 0)) return err_make(ERR_IO, "cannot open '%s': kind", path);
    if (!*out && (!dir || !(flags & FILE_CREATE))) return err_make(ERR_NOT_FOUND, "cannot open '%s': absent", path);
    if (!*out) {
        TRY(begin_change(d, NULL));
        *out = new_inode(d, (flags & FILE_DIR) != 0);
        change_dir(dir, name, "", *out);
    }
    return err_none();
}

static void change_file(struct inode *inode, uint64_t at, const void *bytes, size_t n) {
    struct write_op op = {at, n, NULL};
    if (bytes) {
        op.bytes = malloc(n ? n : 1);
        ASSERT(op.bytes != NULL);
        memcpy(op.bytes, bytes, n);
    }
    apply(&inode->now, &op);
    VEC_PUSH(inode->writes, inode->n_writes, inode->cap_writes, op);
}

static Err open_locked(struct store_cutfs *d, const char *path, unsigned flags, struct file **out) {
    struct inode *inode;
    TRY(begin_call(d, NULL));
    TRY(open_inode(d, path, flags, &inode));
    if ((flags & FILE_TRUNCATE) && inode->now.size) {
        TRY(begin_change(d, NULL));
        change_file(inode, 0, NULL, 0);
    }
    struct cut_file *file = malloc(sizeof *file);
    ASSERT(file != NULL);
    *file = (struct cut_file){{&d->fs}, inode, d->life};
    *out = &file->base;
    return err_none();
}

static Err cut_open(struct file_system *fs, const char *path, unsigned flags, struct file **out) {
    struct store_cutfs *d = disk_of(fs);
    *out = NULL;
    thread_lock(&d->lock);
    Err err = open_locked(d, path, flags, out);
    thread_unlock(&d->lock);
    return err;
}

static void cut_close(struct file *file) { free(file); }

static Err cut_read(struct file *file, void *into, size_t n, uint64_t at, size_t *got) {
    struct store_cutfs *d = disk_of(file->fs);
    struct cut_file *f = (struct cut_file *)file;
    *got = 0;
    thread_lock(&d->lock);
    Err err = begin_call(d, f);
    const struct image *image = &f->inode->now;
    if (err.code == ERR_NONE && at < image->size) {
        *got = n < image->size - at ? n : (size_t)(image->size - at);
        memcpy(into, image->bytes + at, *got);
    }
    thread_unlock(&d->lock);
    return err;
}

static Err cut_write(struct file *file, const void *from, size_t n, uint64_t at) {
    struct store_cutfs *d = disk_of(file->fs);
    struct cut_file *f = (struct cut_file *)file;
    thread_lock(&d->lock);
    Err err = begin_change(d, f);
    if (err.code == ERR_NONE)
        change_file(f->inode, at, from, n);
    else if (!d->off && f->life == d->life && d->failure == STORE_CUTFS_SHORT)
        change_file(f->inode, at, from, n / 2);
    thread_unlock(&d->lock);
    return err;
}

static struct site *site_of(struct store_cutfs *d, const char *name) {
    for (size_t i = 0; i < d->n_sites; i++)
        if (strcmp(d->sites[i].name, name) == 0) return &d->sites[i];
    ASSERT(d->n_sites < SITES_MAX);
    struct site *site = &d->sites[d->n_sites];
    site->name = d->names[d->n_sites] = strdup(name);
    d->n_sites++;
    return site;
}

static void make_durable(struct inode *inode) {
    for (size_t i = 0; i < inode->n_writes; i++) apply(&inode->synced, &inode->writes[i]);
    drop_writes(inode);
    for (size_t i = 0; i < inode->n_dir_ops; i++) apply_dir(&inode->synced_entries, &inode->dir_ops[i]);
    inode->n_dir_ops = 0;
}

/* Whether this is the sync before which the power is to go. */
static bool cut_here(struct store_cutfs *d, const char *site) {
    return d->cut_nth && strcmp(d->cut_site, site) == 0 && --d->cut_nth == 0;
}

static Err cut_sync(struct file *file, const char *site) {
    struct store_cutfs *d = disk_of(file->fs);
    struct cut_file *f = (struct cut_file *)file;
    thread_lock(&d->lock);
    if (!d->off && f->life == d->life && cut_here(d, site)) d->off = true;
    Err err = begin_change(d, f);
    if (err.code == ERR_NONE) {
        site_of(d, site)->count++;
        if (strcmp(d->ignored, site) != 0) make_durable(f->inode);
    } else if (!d->off) {
        drop_writes(f->inode); /* as Linux does: the pages count as clean, and are never written */
    }
    thread_unlock(&d->lock);
    return err;
}

static Err cut_truncate(struct file *file, uint64_t size) {
    struct store_cutfs *d = disk_of(file->fs);
    struct cut_file *f = (struct cut_file *)file;
    thread_lock(&d->lock);
    Err err = begin_change(d, f);
    if (err.code == ERR_NONE) change_file(f->inode, size, NULL, 0);
    thread_unlock(&d->lock);
    return err;
}

static Err cut_size(struct file *file, uint64_t *out) {
    struct store_cutfs *d = disk_of(file->fs);
    struct cut_file *f = (struct cut_file *)file;
    thread_lock(&d->lock);
    Err err = begin_call(d, f);
    *out = f->inode->now.size;
    thread_unlock(&d->lock);
    return err;
}

static Err rename_locked(struct store_cutfs *d, const char *from, const char *to) {
    char from_name[NAME_BYTES], to_name[NAME_BYTES];
    struct inode *from_dir = walk(d, from, from_name), *to_dir = walk(d, to, to_name);
    struct entry *e = from_dir ? find_entry(&from_dir->entries, from_name) : NULL;
    if (!e || !to_dir) return err_make(ERR_NOT_FOUND, "cannot rename '%s': absent", from);
    TRY(begin_change(d, NULL));
    struct inode *inode = e->inode;
    if (from_dir == to_dir) {
        change_dir(from_dir, to_name, from_name, inode);
    } else {
        change_dir(from_dir, from_name, "", NULL);
        change_dir(to_dir, to_name, "", inode);
    }
    return err_none();
}

static Err cut_rename(struct file_system *fs, const char *from, const char *to) {
    struct store_cutfs *d = disk_of(fs);
    thread_lock(&d->lock);
    Err err = d->off ? off_error() : rename_locked(d, from, to);
    thread_unlock(&d->lock);
    return err;
}

static Err remove_locked(struct store_cutfs *d, const char *path) {
    char name[NAME_BYTES];
    struct inode *dir = walk(d, path, name);
    struct entry *e = dir ? find_entry(&dir->entries, name) : NULL;
    if (!e) return err_make(ERR_NOT_FOUND, "cannot remove '%s': absent", path);
    if (e->inode->is_dir && e->inode->entries.n) return err_make(ERR_IO, "cannot remove '%s': not empty", path);
    TRY(begin_change(d, NULL));
    change_dir(dir, name, "", NULL);
    return err_none();
}

static Err cut_remove(struct file_system *fs, const char *path) {
    struct store_cutfs *d = disk_of(fs);
    thread_lock(&d->lock);
    Err err = d->off ? off_error() : remove_locked(d, path);
    thread_unlock(&d->lock);
    return err;
}

static Err list_locked(struct store_cutfs *d, const char *path, struct entries *out) {
    TRY(begin_call(d, NULL));
    char name[NAME_BYTES];
    struct inode *dir = walk(d, path, name);
    struct entry *e = dir && name[0] ? find_entry(&dir->entries, name) : NULL;
    if (dir && name[0]) dir = e ? e->inode : NULL;
    if (!dir || !dir->is_dir) return err_make(ERR_NOT_FOUND, "cannot list '%s': absent", path);
    copy_entries(out, &dir->entries);
    return err_none();
}

static Err cut_list(struct file_system *fs, const char *path, file_list_fn *fn, void *ctx) {
    struct store_cutfs *d = disk_of(fs);
    struct entries entries = {0};
    thread_lock(&d->lock);
    Err err = list_locked(d, path, &entries);
    thread_unlock(&d->lock);
    for (size_t i = 0; i < entries.n; i++)
        if (!fn(ctx, str_c(entries.items[i].name))) break;
    free(entries.items);
    return err;
}

static const struct file_ops cut_ops = {
    .open = cut_open,
    .close = cut_close,
    .read = cut_read,
    .write = cut_write,
    .sync = cut_sync,
    .truncate = cut_truncate,
    .size = cut_size,
    .rename = cut_rename,
    .remove = cut_remove,
    .list = cut_list,
};

/* ---- the power */

/* What a cut leaves of one file or directory. */
static void settle(struct store_cutfs *d, struct inode *inode, enum store_cutfs_left left) {
    if (left == STORE_CUTFS_KILLED) return;
    if (left == STORE_CUTFS_ALL) {
        make_durable(inode);
        return;
    }
    for (size_t i = 0; left == STORE_CUTFS_SOME && i < inode->n_writes; i++) {
        const struct write_op *op = &inode->writes[i];
        uint64_t luck = draw(d) % 4;
        if (luck == 1 && op->bytes)
            apply_torn(d, &inode->synced, op);
        else if (luck >= 2)
            apply(&inode->synced, op);
    }
    drop_writes(inode);
    copy_image(&inode->now, &inode->synced);
    for (size_t i = 0; left == STORE_CUTFS_SOME && i < inode->n_dir_ops; i++)
        if (draw(d) & 1) apply_dir(&inode->synced_entries, &inode->dir_ops[i]);
    inode->n_dir_ops = 0;
    copy_entries(&inode->entries, &inode->synced_entries);
}

void store_cutfs_power_on(struct store_cutfs *d, enum store_cutfs_left left) {
    thread_lock(&d->lock);
    for (struct inode *inode = d->inodes; inode; inode = inode->next) settle(d, inode, left);
    d->life++;
    d->off = false;
    d->cut_at = d->cut_nth = 0;
    d->fail_times = 0;
    thread_unlock(&d->lock);
}

void store_cutfs_cut_at(struct store_cutfs *d, uint64_t changes_from_now) {
    thread_lock(&d->lock);
    d->cut_at = d->changes + changes_from_now;
    d->off = changes_from_now == 0;
    thread_unlock(&d->lock);
}

void store_cutfs_cut_before(struct store_cutfs *d, const char *site, uint64_t nth) {
    thread_lock(&d->lock);
    put_name(d->cut_site, site);
    d->cut_nth = nth;
    thread_unlock(&d->lock);
}

void store_cutfs_fail(struct store_cutfs *d, enum store_cutfs_failure how, uint64_t calls_from_now, uint64_t times) {
    thread_lock(&d->lock);
    d->failure = how;
    d->fail_from = d->calls + calls_from_now;
    d->fail_times = times;
    thread_unlock(&d->lock);
}

void store_cutfs_ignore(struct store_cutfs *d, const char *site) {
    thread_lock(&d->lock);
    put_name(d->ignored, site);
    thread_unlock(&d->lock);
}

/* ---- asking */

static pthread_mutex_t *lock_of(const struct store_cutfs *d) { return &((struct store_cutfs *)(uintptr_t)d)->lock; }

static uint64_t read_locked(const struct store_cutfs *d, const uint64_t *number) {
    thread_lock(lock_of(d));
    uint64_t out = *number;
    thread_unlock(lock_of(d));
    return out;
}

uint64_t store_cutfs_changes(const struct store_cutfs *d) { return read_locked(d, &d->changes); }
uint64_t store_cutfs_calls(const struct store_cutfs *d) { return read_locked(d, &d->calls); }

bool store_cutfs_is_off(const struct store_cutfs *d) {
    thread_lock(lock_of(d));
    bool off = d->off;
    thread_unlock(lock_of(d));
    return off;
}

size_t store_cutfs_sites(const struct store_cutfs *d, const char *const **names) {
    thread_lock(lock_of(d));
    size_t n = d->n_sites;
    *names = d->names;
    thread_unlock(lock_of(d));
    return n;
}

uint64_t store_cutfs_site_count(const struct store_cutfs *d, const char *site) {
    uint64_t count = 0;
    thread_lock(lock_of(d));
    for (size_t i = 0; i < d->n_sites; i++)
        if (strcmp(d->sites[i].name, site) == 0) count = d->sites[i].count;
    thread_unlock(lock_of(d));
    return count;
}

bool store_cutfs_flip(struct store_cutfs *d, const char *path, uint64_t at) {
    char name[NAME_BYTES];
    thread_lock(&d->lock);
    struct inode *dir = walk(d, path, name);
    struct entry *e = dir ? find_entry(&dir->entries, name) : NULL;
    bool found = e && at < e->inode->now.size;
    if (found) e->inode->now.bytes[at] ^= 0x10;
    if (found && at < e->inode->synced.size) e->inode->synced.bytes[at] ^= 0x10;
    thread_unlock(&d->lock);
    return found;
}

static uint64_t digest(const struct inode *inode) {
    uint64_t sum = hash_seeded(inode->now.bytes, (size_t)inode->now.size, inode->is_dir);
    for (size_t i = 0; i < inode->entries.n; i++) {
        const struct entry *e = &inode->entries.items[i];
        sum += hash_seeded(e->name, strlen(e->name), digest(e->inode)); /* the order of entries does not matter */
    }
    return sum;
}

uint64_t store_cutfs_digest(const struct store_cutfs *d) {
    thread_lock(lock_of(d));
    uint64_t sum = digest(d->root);
    thread_unlock(lock_of(d));
    return sum;
}

struct file_system *store_cutfs_fs(struct store_cutfs *d) {
    return &d->fs;
}

struct store_cutfs *store_cutfs_new(uint64_t seed) {
    struct store_cutfs *d = calloc(1, sizeof *d);
    ASSERT(d != NULL);
    d->fs = (struct file_system){&cut_ops, d};
    thread_mutex_init(&d->lock);
    d->random = hash_bytes(&seed, sizeof seed) | 1;
    d->root = new_inode(d, true);
    return d;
}

void store_cutfs_free(struct store_cutfs *d) {
    if (!d) return;
    for (struct inode *inode = d->inodes, *next; inode; inode = next) {
        next = inode->next;
        drop_writes(inode);
        free(inode->writes);
        free(inode->now.bytes);
        free(inode->synced.bytes);
        free(inode->entries.items);
        free(inode->synced_entries.items);
        free(inode->dir_ops);
        free(inode);
    }
    for (size_t i = 0; i < d->n_sites; i++) free((char *)(uintptr_t)d->sites[i].name);
    thread_mutex_fini(&d->lock);
    free(d);
}
