/*
 * Files behind a table of functions, so that the same store code runs over the real disk and over the
 * test layer that forgets, at a simulated power cut, whatever was not yet synced (tests/cutfs).
 *
 * A directory is opened with FILE_DIR and synced like a file: creating, renaming or removing an entry is
 * durable only after its directory was synced. Every sync call names its site ("wal.data", "chunk.dir"),
 * so that a test can leave out one site and must then see a loss; the name need live only as long as the call.
 */
#ifndef OS_FILE_H
#define OS_FILE_H

#include "base/buf.h"
#include "base/err.h"

struct file; /* an open file or directory; each file_system has its own */
struct file_system;

enum {
    FILE_READ = 1,
    FILE_WRITE = 2,
    FILE_CREATE = 4,    /* create when absent (with FILE_DIR: mkdir) */
    FILE_EXCLUSIVE = 8, /* fail with ERR_CONFLICT when present */
    FILE_DIR = 16,
    FILE_TRUNCATE = 32,
    FILE_PRIVATE = 64, /* when created: nobody but the owner may read it; a folder: nor look into it */
};

/* Called once for each entry of a directory; stop by returning false. */
typedef bool file_list_fn(void *ctx, Str name);

/* May block on the disk; failures are ERR_IO (with errno's text), ERR_NOT_FOUND for an absent path. Any thread. */
struct file_ops {
    Err (*open)(struct file_system *fs, const char *path, unsigned flags, struct file **out);
    void (*close)(struct file *file);
    /* short only at the end of the file */
    Err (*read)(struct file *file, void *into, size_t n, uint64_t at, size_t *got);
    /* all n bytes or a failure */
    Err (*write)(struct file *file, const void *from, size_t n, uint64_t at);
    Err (*sync)(struct file *file, const char *site);
    Err (*truncate)(struct file *file, uint64_t size);
    Err (*size)(struct file *file, uint64_t *out);
    Err (*rename)(struct file_system *fs, const char *from, const char *to);
    Err (*remove)(struct file_system *fs, const char *path); /* file or empty directory */
    Err (*list)(struct file_system *fs, const char *dir, file_list_fn *fn, void *ctx);
};

struct file_system {
    const struct file_ops *ops;
    void *state;
};

/* Every implementation's struct file starts with this. */
struct file {
    struct file_system *fs;
};

extern struct file_system *const file_disk; /* the real one */
int file_disk_fd(const struct file *file);  /* for the room's own files; -1: not of the real disk */

Err file_open(struct file_system *fs, const char *path, unsigned flags, struct file **out);
void file_close(struct file *file); /* NULL is fine */
Err file_read(struct file *file, void *into, size_t n, uint64_t at, size_t *got);
Err file_write(struct file *file, const void *from, size_t n, uint64_t at);
Err file_sync(struct file *file, const char *site);
Err file_truncate(struct file *file, uint64_t size);
Err file_size(struct file *file, uint64_t *out);
Err file_rename(struct file_system *fs, const char *from, const char *to);
Err file_remove(struct file_system *fs, const char *path);
Err file_list(struct file_system *fs, const char *dir, file_list_fn *fn, void *ctx);

Err file_sync_dir(struct file_system *fs, const char *dir, const char *site);
/* Like mkdir -p; each new entry is synced in its parent. */
Err file_make_dirs(struct file_system *fs, const char *path, const char *site);
/* Appends the whole file; ERR_TOO_LARGE when it is larger than max bytes. */
Err file_load(struct file_system *fs, const char *path, size_t max, struct buf *into);
/* The new bytes or the old ones, never a mixture: writes beside, syncs at SITE, renames, syncs the folder at
 * "SITE.dir". */
Err file_replace(struct file_system *fs, const char *path, Str bytes, const char *site);
bool file_exists(struct file_system *fs, const char *path);

/* An exclusive advisory lock on DIR/lock of the real disk, until file_unlock or the end of the process. ERR_LOCKED when
 * another holds it, with its process number in the text. */
Err file_lock(const char *dir, int *out_fd);
void file_unlock(int fd);

#endif
