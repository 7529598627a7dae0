#include "tests/unit.h"

#include <ftw.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

/* The run so far. Checks may come from any thread. */
static struct {
    pthread_mutex_t mutex;
    const char *test, *name;
    bool open, failed, skipped; /* of the current case */
    unsigned passed_count, failed_count, skipped_count;
    char temp_dir[256];
} run = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void close_case(void) {
    if (!run.open) return;
    if (run.failed)
        run.failed_count++;
    else if (run.skipped)
        run.skipped_count++;
    else
        run.passed_count++;
    run.open = false;
}

static void open_case(const char *name) {
    close_case();
    run.name = name;
    run.open = true, run.failed = false, run.skipped = false;
}

void unit_case(const char *name) {
    pthread_mutex_lock(&run.mutex);
    open_case(name);
    pthread_mutex_unlock(&run.mutex);
}

void unit_skip(const char *reason) {
    pthread_mutex_lock(&run.mutex);
    if (!run.open) open_case("all");
    run.skipped = true;
    printf("SKIP %s '%s': %s\n", run.test, run.name, reason);
    pthread_mutex_unlock(&run.mutex);
}

/* Counts one check; false prints the place and returns with the lock held, for the caller to print got and want. */
static bool check(bool ok, const char *file, int line, const char *what) {
    pthread_mutex_lock(&run.mutex);
    if (!run.open) open_case("all");
    if (ok) {
        pthread_mutex_unlock(&run.mutex);
        return true;
    }
    run.failed = true;
    printf("FAIL %s:%d: %s '%s': %s", file, line, run.test, run.name, what);
    return false;
}

static bool failed(void) {
    putchar('\n');
    fflush(stdout);
    pthread_mutex_unlock(&run.mutex);
    return false;
}

bool unit_true(bool ok, const char *file, int line, const char *what) {
    if (check(ok, file, line, what)) return true;
    printf(" does not hold");
    return failed();
}

bool unit_int(long long got, long long want, const char *file, int line, const char *what) {
    if (check(got == want, file, line, what)) return true;
    printf(": got %lld, want %lld", got, want);
    return failed();
}

bool unit_num(double got, double want, double tolerance, const char *file, int line, const char *what) {
    bool same = (isnan(got) && isnan(want)) || got == want || fabs(got - want) <= tolerance;
    if (check(same, file, line, what)) return true;
    printf(": got %.17g, want %.17g (± %g)", got, want, tolerance);
    return failed();
}

bool unit_str(Str got, Str want, const char *file, int line, const char *what) {
    if (check(str_eq(got, want), file, line, what)) return true;
    printf(":\n  got  \"" STR_FMT "\"\n  want \"" STR_FMT "\"", STR_ARG(got), STR_ARG(want));
    return failed();
}

bool unit_ok(Err err, const char *file, int line, const char *what) {
    if (check(err.code == ERR_NONE, file, line, what)) return true;
    printf(": got failure '%s': %s", err_slug(err.code), err.text);
    return failed();
}

bool unit_fails(Err err, enum err_code want, const char *file, int line, const char *what) {
    if (check(err.code == want, file, line, what)) return true;
    printf(": got '%s'%s%s, want '%s'", err_slug(err.code), err.code ? ": " : "", err.code ? err.text : "",
           err_slug(want));
    return failed();
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw) {
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

static void remove_temp_dir(void) {
    if (run.temp_dir[0]) nftw(run.temp_dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* One folder for the program, a fresh one inside it for each call. */
const char *unit_temp_dir(void) {
    static char paths[256][280];
    static unsigned used;
    pthread_mutex_lock(&run.mutex);
    if (!run.temp_dir[0]) {
        const char *base = getenv("TMPDIR");
        snprintf(run.temp_dir, sizeof run.temp_dir, "%s/weft-unit-XXXXXX", base && *base ? base : "/tmp");
        ASSERT(mkdtemp(run.temp_dir) != NULL);
        atexit(remove_temp_dir);
    }
    ASSERT(used < sizeof paths / sizeof *paths);
    char *path = paths[used];
    snprintf(path, sizeof paths[0], "%s/%u", run.temp_dir, used++);
    ASSERT(mkdir(path, 0700) == 0);
    pthread_mutex_unlock(&run.mutex);
    return path;
}

/* Tests run from the repository's root; the recordings they may use lie in a folder beside it. */
const char *unit_shared(const char *path) {
    static char out[1024];
    snprintf(out, sizeof out, "../shared/%s", path);
    return access(out, R_OK) == 0 ? out : NULL;
}

/* Tests provoke warnings on purpose; UNIT_LOG=debug shows all there is. */
static void quiet_logs(void) {
    enum log_level level = LOG_LEVEL_ERROR;
    const char *wanted = getenv("UNIT_LOG");
    if (wanted && !log_level_parse(str_c(wanted), &level)) fprintf(stderr, "UNIT_LOG: no level '%s'\n", wanted);
    log_set_level(level);
}

int unit_main(const char *room, size_t n, void (*const tests[])(void), const char *const names[]) {
    const char *only = getenv("UNIT");
    quiet_logs();
    for (size_t i = 0; i < n; i++) {
        if (only && strcmp(only, names[i]) != 0) continue;
        run.test = names[i];
        tests[i]();
        pthread_mutex_lock(&run.mutex);
        close_case();
        pthread_mutex_unlock(&run.mutex);
    }
    printf("%s: %u passed, %u failed, %u skipped\n", room, run.passed_count, run.failed_count, run.skipped_count);
    return run.failed_count ? 1 : 0;
}
