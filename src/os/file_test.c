#include "os/file.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit.h"

static const char *in(char out[512], const char *dir, const char *name) {
    snprintf(out, 512, "%s/%s", dir, name);
    return out;
}

static void test_read_write(const char *dir) {
    char path[512], bytes[16];
    struct file *file;
    uint64_t size;
    size_t got;
    unit_case("write, read, size, truncate");
    in(path, dir, "a");
    CHECK_ERR(file_open(file_disk, path, FILE_READ, &file), ERR_NOT_FOUND);
    CHECK(file == NULL);
    if (!CHECK_OK(file_open(file_disk, path, FILE_READ | FILE_WRITE | FILE_CREATE, &file))) return;
    CHECK_OK(file_write(file, "hello", 5, 3));
    CHECK_OK(file_sync(file, "test.data"));
    CHECK_OK(file_size(file, &size));
    CHECK_INT(size, 8);
    CHECK_OK(file_read(file, bytes, sizeof bytes, 0, &got));
    CHECK_STR(str_n(bytes, got), STR("\0\0\0hello"));
    CHECK_OK(file_read(file, bytes, 2, 6, &got));
    CHECK_STR(str_n(bytes, got), STR("lo"));
    CHECK_OK(file_read(file, bytes, 2, 100, &got));
    CHECK_INT(got, 0);
    CHECK_OK(file_truncate(file, 4));
    CHECK_OK(file_size(file, &size));
    CHECK_INT(size, 4);
    file_close(file);
    file_close(NULL);
    CHECK_ERR(file_open(file_disk, path, FILE_WRITE | FILE_CREATE | FILE_EXCLUSIVE, &file), ERR_CONFLICT);
    CHECK_OK(file_open(file_disk, path, FILE_READ, &file));
    CHECK_ERR(file_write(file, "x", 1, 0), ERR_IO);
    file_close(file);
    CHECK_OK(file_open(file_disk, path, FILE_WRITE | FILE_TRUNCATE, &file));
    CHECK_OK(file_size(file, &size));
    CHECK_INT(size, 0);
    file_close(file);
}

static bool gather(void *ctx, Str name) {
    struct buf *names = ctx;
    buf_str(names, name);
    return true;
}

static bool first_only(void *ctx, Str name) {
    (void)name;
    ++*(int *)ctx;
    return false;
}

static void test_directories(const char *dir) {
    char path[512], other[512];
    struct file *file;
    struct buf names = {0};
    int seen = 0;
    unit_case("folders");
    CHECK_OK(file_make_dirs(file_disk, in(path, dir, "x/y//z/"), "test.dir"));
    CHECK_OK(file_make_dirs(file_disk, path, "test.dir"));
    CHECK(file_exists(file_disk, in(path, dir, "x/y/z")) && !file_exists(file_disk, in(path, dir, "x/z")));
    CHECK_ERR(file_open(file_disk, in(path, dir, "x"), FILE_DIR | FILE_CREATE | FILE_EXCLUSIVE, &file), ERR_CONFLICT);
    CHECK_OK(file_replace(file_disk, in(path, dir, "x/file"), STR("1"), "test.file"));
    CHECK_ERR(file_make_dirs(file_disk, in(path, dir, "x/file/below"), "test.dir"), ERR_IO);
    CHECK_ERR(file_remove(file_disk, in(path, dir, "x/y")), ERR_IO); /* not empty */
    CHECK_OK(file_rename(file_disk, in(path, dir, "x/file"), in(other, dir, "x/y/file")));
    CHECK_ERR(file_rename(file_disk, path, other), ERR_NOT_FOUND);
    CHECK_OK(file_remove(file_disk, in(path, dir, "x/y/z")));
    CHECK_OK(file_list(file_disk, in(path, dir, "x/y"), gather, &names));
    CHECK_STR(buf_view(&names), STR("file"));
    CHECK_OK(file_list(file_disk, dir, first_only, &seen));
    CHECK_INT(seen, 1);
    CHECK_ERR(file_list(file_disk, in(path, dir, "none"), gather, &names), ERR_NOT_FOUND);
    CHECK_ERR(file_remove(file_disk, path), ERR_NOT_FOUND);
    CHECK_ERR(file_sync_dir(file_disk, path, "test.dir"), ERR_NOT_FOUND);
    buf_fini(&names);
}

static void test_whole(const char *dir) {
    char path[512];
    struct buf text = {0};
    unit_case("load and replace whole files");
    in(path, dir, "whole");
    CHECK_ERR(file_load(file_disk, path, 100, &text), ERR_NOT_FOUND);
    CHECK_OK(file_replace(file_disk, path, STR("first"), "test.file"));
    CHECK_OK(file_replace(file_disk, path, STR("second one"), "test.file"));
    buf_c(&text, "> ");
    CHECK_OK(file_load(file_disk, path, 10, &text));
    CHECK_STR(buf_view(&text), STR("> second one"));
    CHECK_ERR(file_load(file_disk, path, 9, &text), ERR_TOO_LARGE);
    CHECK_OK(file_replace(file_disk, path, STR(""), "test.file"));
    buf_clear(&text);
    CHECK_OK(file_load(file_disk, path, 0, &text));
    CHECK_INT(text.len, 0);
    CHECK(!file_exists(file_disk, in(path, dir, "whole.new")));
    CHECK_ERR(file_replace(file_disk, in(path, dir, "none/whole"), STR("x"), "test.file"), ERR_NOT_FOUND);
    buf_fini(&text);
    char long_path[6000];
    memset(long_path, 'a', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    CHECK_ERR(file_replace(file_disk, long_path, STR("x"), "test.file"), ERR_INVALID);
    CHECK_ERR(file_make_dirs(file_disk, long_path, "test.dir"), ERR_INVALID);
}

/* The lock holds against another process and ends with it. */
static void test_lock(const char *dir) {
    int fd, other;
    unit_case("the lock of a data folder");
    CHECK_ERR(file_lock("/nowhere/at/all", &fd), ERR_NOT_FOUND);
    if (!CHECK_OK(file_lock(dir, &fd))) return;
    Err err = file_lock(dir, &other);
    CHECK_ERR(err, ERR_LOCKED);
    char pid[32];
    snprintf(pid, sizeof pid, "process '%ld'", (long)getpid());
    CHECK(strstr(err.text, pid) != NULL);
    file_unlock(fd);
    pid_t child = fork();
    if (child == 0) {
        err = file_lock(dir, &other);
        _exit(err.code == ERR_NONE ? 0 : 1); /* without file_unlock */
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK_OK(file_lock(dir, &fd));
    file_unlock(fd);
}

void file_test(void) {
    const char *dir = unit_temp_dir();
    test_read_write(dir);
    test_directories(dir);
    test_whole(dir);
    test_lock(dir);
}
