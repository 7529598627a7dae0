#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_MAX_BYTES 4096

/* ---- the real disk */

struct disk_file {
    struct file base;
    int fd;
    bool is_dir;
};

static int fd_of(const struct file *file) { return ((const struct disk_file *)file)->fd; }

/* Every failure of the system in the words of the room. */
static const char *remedy(int number) {
    return number == ENOSPC || number == EDQUOT ? " (free some space: writing then goes on)" : "";
}

static Err disk_error(int number, const char *verb, const char *path) {
    enum err_code code = number == ENOENT ? ERR_NOT_FOUND : number == EEXIST ? ERR_CONFLICT : ERR_IO;
    return err_errno(code, number, "cannot %s '%s'%s", verb, path, remedy(number));
}

static int open_flags(unsigned flags) {
    int out = O_CLOEXEC;
    if (flags & FILE_DIR) return out | O_RDONLY | O_DIRECTORY;
    out |= !(flags & FILE_WRITE) ? O_RDONLY : flags & FILE_READ ? O_RDWR : O_WRONLY;
    if (flags & FILE_CREATE) out |= O_CREAT;
    if (flags & FILE_EXCLUSIVE) out |= O_EXCL;
    if (flags & FILE_TRUNCATE) out |= O_TRUNC;
    return out;
}

static Err disk_open(struct file_system *fs, const char *path, unsigned flags, struct file **out) {
    *out = NULL;
    bool make_dir = (flags & FILE_DIR) && (flags & FILE_CREATE);
    mode_t dir_mode = flags & FILE_PRIVATE ? 0700 : 0750;
    if (make_dir && mkdir(path, dir_mode) != 0 && (errno != EEXIST || (flags & FILE_EXCLUSIVE)))
        return disk_error(errno, "create", path);
    int fd = open(path, open_flags(flags), flags & FILE_PRIVATE ? 0600 : 0640);
    if (fd < 0) return disk_error(errno, "open", path);
    struct disk_file *file = malloc(sizeof *file);
    ASSERT(file != NULL);
    *file = (struct disk_file){.base = {fs}, .fd = fd, .is_dir = (flags & FILE_DIR) != 0};
    *out = &file->base;
    return err_none();
}

static void disk_close(struct file *file) {
    close(fd_of(file)); /* what must last was synced; close tells nothing more */
    free(file);
}

static Err disk_read(struct file *file, void *into, size_t n, uint64_t at, size_t *got) {
    *got = 0;
    while (*got < n) {
        ssize_t r = pread(fd_of(file), (char *)into + *got, n - *got, (off_t)(at + *got));
        if (r < 0 && errno == EINTR) continue;
        if (r < 0) return err_errno(ERR_IO, errno, "cannot read %zu bytes at %llu", n, (unsigned long long)at);
        if (r == 0) break;
        *got += (size_t)r;
    }
    return err_none();
}

static Err disk_write(struct file *file, const void *from, size_t n, uint64_t at) {
    for (size_t done = 0; done < n;) {
        ssize_t r = pwrite(fd_of(file), (const char *)from + done, n - done, (off_t)(at + done));
        if (r < 0 && errno == EINTR) continue;
        if (r < 0)
            return err_errno(ERR_IO, errno, "cannot write %zu bytes at %llu%s", n, (unsigned long long)at,
                             remedy(errno));
        done += (size_t)r;
    }
    return err_none();
}

static Err disk_sync(struct file *file, const char *site) {
    const struct disk_file *f = (const struct disk_file *)file;
    if ((f->is_dir ? fsync(f->fd) : fdatasync(f->fd)) == 0) return err_none();
    return err_errno(ERR_IO, errno, "cannot sync at '%s'", site);
}

static Err disk_truncate(struct file *file, uint64_t size) {
    if (ftruncate(fd_of(file), (off_t)size) == 0) return err_none();
    return err_errno(ERR_IO, errno, "cannot cut a file to %llu bytes", (unsigned long long)size);
}

static Err disk_size(struct file *file, uint64_t *out) {
    struct stat st;
    if (fstat(fd_of(file), &st) != 0) return err_errno(ERR_IO, errno, "cannot ask the size of a file");
    *out = (uint64_t)st.st_size;
    return err_none();
}

static Err disk_rename(struct file_system *fs, const char *from, const char *to) {
    (void)fs;
    return rename(from, to) == 0 ? err_none() : disk_error(errno, "rename", from);
}

static Err disk_remove(struct file_system *fs, const char *path) {
    (void)fs;
    return remove(path) == 0 ? err_none() : disk_error(errno, "remove", path);
}

static Err disk_list(struct file_system *fs, const char *dir, file_list_fn *fn, void *ctx) {
    (void)fs;
    DIR *d = opendir(dir);
    if (!d) return disk_error(errno, "list", dir);
    struct dirent *entry;
    while ((errno = 0, entry = readdir(d))) {
        Str name = str_c(entry->d_name);
        if (!str_eq(name, STR(".")) && !str_eq(name, STR("..")) && !fn(ctx, name)) break;
    }
    int failed = entry ? 0 : errno;
    closedir(d);
    return failed ? disk_error(failed, "list", dir) : err_none();
}

static const struct file_ops disk_ops = {
    .open = disk_open,
    .close = disk_close,
    .read = disk_read,
    .write = disk_write,
    .sync = disk_sync,
    .truncate = disk_truncate,
    .size = disk_size,
    .rename = disk_rename,
    .remove = disk_remove,
    .list = disk_list,
};

static struct file_system disk = {.ops = &disk_ops};
struct file_system *const file_disk = &disk;

int file_disk_fd(const struct file *file) { return file->fs == file_disk ? fd_of(file) : -1; }

/* ---- the same for every file system */

Err file_open(struct file_system *fs, const char *path, unsigned flags, struct file **out) {
    return fs->ops->open(fs, path, flags, out);
}

void file_close(struct file *file) {
    if (file) file->fs->ops->close(file);
}

Err file_read(struct file *file, void *into, size_t n, uint64_t at, size_t *got) {
    return file->fs->ops->read(file, into, n, at, got);
}

Err file_write(struct file *file, const void *from, size_t n, uint64_t at) {
    return file->fs->ops->write(file, from, n, at);
}

Err file_sync(struct file *file, const char *site) { return file->fs->ops->sync(file, site); }

Err file_truncate(struct file *file, uint64_t size) { return file->fs->ops->truncate(file, size); }

Err file_size(struct file *file, uint64_t *out) { return file->fs->ops->size(file, out); }

Err file_rename(struct file_system *fs, const char *from, const char *to) { return fs->ops->rename(fs, from, to); }

Err file_remove(struct file_system *fs, const char *path) { return fs->ops->remove(fs, path); }

Err file_list(struct file_system *fs, const char *dir, file_list_fn *fn, void *ctx) {
    return fs->ops->list(fs, dir, fn, ctx);
}

Err file_sync_dir(struct file_system *fs, const char *dir, const char *site) {
    struct file *file;
    TRY(file_open(fs, dir, FILE_READ | FILE_DIR, &file));
    Err err = file_sync(file, site);
    file_close(file);
    return err;
}

bool file_exists(struct file_system *fs, const char *path) {
    struct file *file;
    Err err = file_open(fs, path, FILE_READ, &file);
    if (err.code) err = file_open(fs, path, FILE_READ | FILE_DIR, &file); /* another layer may tell the two apart */
    if (err.code == ERR_NONE) file_close(file);
    return err.code == ERR_NONE;
}

static Err check_path(const char *path, size_t extra) {
    if (strlen(path) + extra < PATH_MAX_BYTES) return err_none();
    return err_make(ERR_INVALID, "path of %zu bytes is too long: use a shorter folder name", strlen(path));
}

/* The folder that holds path's last part: "." for a bare name, "/" for one at the top. */
static void parent_of(const char *path, char out[PATH_MAX_BYTES]) {
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') n--;
    while (n > 0 && path[n - 1] != '/') n--;
    if (n == 0) {
        memcpy(out, ".", 2);
        return;
    }
    while (n > 1 && path[n - 1] == '/') n--;
    memcpy(out, path, n);
    out[n] = '\0';
}

static Err make_dir(struct file_system *fs, const char *path, const char *site) {
    struct file *dir;
    if (file_open(fs, path, FILE_READ | FILE_DIR, &dir).code == ERR_NONE) {
        file_close(dir);
        return err_none();
    }
    TRY(file_open(fs, path, FILE_READ | FILE_DIR | FILE_CREATE, &dir));
    file_close(dir);
    char parent[PATH_MAX_BYTES];
    parent_of(path, parent);
    return file_sync_dir(fs, parent, site);
}

Err file_make_dirs(struct file_system *fs, const char *path, const char *site) {
    TRY(check_path(path, 1));
    char part[PATH_MAX_BYTES];
    for (size_t i = 0;; i++) {
        bool end = path[i] == '\0';
        if (i > 0 && (end || path[i] == '/') && path[i - 1] != '/') {
            part[i] = '\0';
            TRY(make_dir(fs, part, site));
        }
        if (end) return err_none();
        part[i] = path[i];
    }
}

static Err load(struct file *file, const char *path, size_t max, struct buf *into) {
    uint64_t size;
    TRY(file_size(file, &size));
    if (size > max) return err_make(ERR_TOO_LARGE, "'%s' is larger than %zu bytes", path, max);
    size_t got;
    buf_reserve(into, (size_t)size);
    TRY(file_read(file, into->ptr + into->len, (size_t)size, 0, &got));
    into->len += got;
    return err_none();
}

Err file_load(struct file_system *fs, const char *path, size_t max, struct buf *into) {
    struct file *file;
    TRY(file_open(fs, path, FILE_READ, &file));
    Err err = load(file, path, max, into);
    file_close(file);
    return err;
}

static Err write_beside(struct file_system *fs, const char *temp, Str bytes, const char *site) {
    struct file *file;
    TRY(file_open(fs, temp, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, &file));
    Err err = file_write(file, bytes.ptr, bytes.len, 0);
    if (err.code == ERR_NONE) err = file_sync(file, site);
    file_close(file);
    return err;
}

Err file_replace(struct file_system *fs, const char *path, Str bytes, const char *site) {
    char temp[PATH_MAX_BYTES], dir[PATH_MAX_BYTES], dir_site[80];
    TRY(check_path(path, sizeof ".new"));
    snprintf(temp, sizeof temp, "%s.new", path);
    snprintf(dir_site, sizeof dir_site, "%s.dir", site);
    parent_of(path, dir);
    Err err = write_beside(fs, temp, bytes, site);
    if (err.code == ERR_NONE) err = file_rename(fs, temp, path);
    if (err.code) {
        file_remove(fs, temp);
        return err;
    }
    return file_sync_dir(fs, dir, dir_site);
}

/* ---- the lock of a data folder */

static Err locked_by_other(int fd, const char *path) {
    char pid[24] = "";
    ssize_t n = pread(fd, pid, sizeof pid - 1, 0);
    pid[n > 0 ? n : 0] = '\0';
    pid[strspn(pid, "0123456789")] = '\0';
    return err_make(ERR_LOCKED, "'%s' is held by process '%s': stop that one, or use another folder", path, pid);
}

Err file_lock(const char *dir, int *out_fd) {
    char path[PATH_MAX_BYTES];
    TRY(check_path(dir, sizeof "/lock"));
    snprintf(path, sizeof path, "%s/lock", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) return disk_error(errno, "open", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        Err err = errno == EWOULDBLOCK ? locked_by_other(fd, path) : disk_error(errno, "lock", path);
        close(fd);
        return err;
    }
    if (ftruncate(fd, 0) == 0) dprintf(fd, "%ld\n", (long)getpid()); /* a courtesy to whoever finds it locked */
    *out_fd = fd;
    return err_none();
}

void file_unlock(int fd) { close(fd); }
