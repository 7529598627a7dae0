/*
 * Kills a server at random moments while tables are imported, faults are reported and work orders are moved, and sees
 * whether it kept its word: an import is there whole or not at all, one whose application was acknowledged is there,
 * and each acknowledged fault has led to one work order, not to none or two.
 *
 *     import_kill_driver WEFT DATA_DIR ROUNDS SEED
 */
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "os/clock.h"
#include "tests/lib/os_http_client.h"

#define ROWS 1500
#define IMPORTS_MAX 400
#define FAULTS_MAX 20000
#define ORDERS_MAX 20000

struct import {
    char id[24];
    bool uploaded, ordered, dropped; /* acknowledged */
};

struct order {
    int64_t id;
    int steps; /* acknowledged */
};

static const char *const steps[] = {"dispatch", "arrive", "finish"};
static const char *const after_step[] = {"requested", "dispatched", "on_site", "done"};

static struct {
    char token[120], address[64];
    struct import imports[IMPORTS_MAX];
    int n_imports;
    int64_t faults[FAULTS_MAX];
    int n_faults, faults_sent;
    struct order orders[ORDERS_MAX];
    int n_orders;
    int passed, failed;
} t;

static void check(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void check(bool ok, const char *fmt, ...) {
    va_list args;
    ok ? t.passed++ : t.failed++;
    if (ok || t.failed > 20) return;
    fputs("FAIL ", stdout);
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    putchar('\n');
}

static _Noreturn void stop(const char *what) {
    printf("FAIL %s\nimport_kill: %d passed, %d failed\n", what, t.passed, t.failed + 1);
    exit(1);
}

/* ---- processes */

static pid_t start(char *const argv[], int *out) {
    int ends[2];
    if (pipe(ends) != 0) stop("no pipe");
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        execv(argv[0], argv);
        _exit(127);
    }
    close(ends[1]);
    *out = ends[0];
    return pid;
}

static void read_line(int fd, char *line, size_t max) {
    size_t n = 0;
    while (n + 1 < max && read(fd, line + n, 1) == 1 && line[n] != '\n') n++;
    line[n] = '\0';
}

static void run(char *const argv[], char *line, size_t max) {
    int out, status;
    pid_t pid = start(argv, &out);
    read_line(out, line, max);
    close(out);
    waitpid(pid, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) stop(argv[1]);
}

static pid_t start_server(char *weft, char *dir, int *out) {
    char *argv[] = {weft, "serve", "--data", dir, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", NULL};
    char line[1000];
    struct json *json = NULL;
    pid_t pid = start(argv, out);
    read_line(*out, line, sizeof line);
    if (json_parse(str_c(line), &json).code != ERR_NONE) stop("the server does not start");
    snprintf(t.address, sizeof t.address, STR_FMT, STR_ARG(json_get_str(json, "http", STR(""))));
    json_free(json);
    return pid;
}

/* ---- the API */

/* The status, 0 when the server has gone; the answer's JSON in *out (or NULL), to be freed. */
static int ask(struct http_client *c, const char *method, const char *target, const char *type, Str body,
               struct json **out) {
    char extra[300];
    snprintf(extra, sizeof extra, "Authorization: Bearer %s\r\nContent-Type: %s\r\n", t.token, type);
    struct http_answer a = http_client_ask(c, method, target, extra, body);
    *out = NULL;
    if (a.status && json_parse(a.body, out).code != ERR_NONE) *out = NULL;
    return a.status;
}

static int ask_json(struct http_client *c, const char *method, const char *target, const char *json,
                    struct json **out) {
    return ask(c, method, target, "application/json", str_c(json), out);
}

static int64_t total(struct http_client *c, const char *target) {
    struct json *json;
    int status = ask_json(c, "GET", target, "", &json);
    int64_t n = status == 200 ? json_get_int(json, "total", -1) : -1;
    json_free(json);
    return n;
}

/* ---- what goes on while the server lives */

static bool wait_for(struct http_client *c, const char *id, const char *state) {
    char target[100];
    for (;;) {
        struct json *json;
        snprintf(target, sizeof target, "/api/v1/imports/%s", id);
        int status = ask_json(c, "GET", target, "", &json);
        Str now = status == 200 ? json_get_str(json, "state", STR("")) : STR("");
        bool there = str_eq_c(now, state), over = status != 200 || str_eq_c(now, "failed");
        json_free(json);
        if (there || over) return there;
        clock_sleep(5 * NANOS_PER_MS);
    }
}

static bool one_import(struct http_client *c, struct buf *table) {
    int n = t.n_imports;
    char target[100];
    struct json *json;
    if (n == IMPORTS_MAX) return false;
    struct import *import = &t.imports[t.n_imports++];
    buf_clear(table);
    buf_c(table, "code,title_en,on_hand\n");
    for (int i = 0; i < ROWS; i++) buf_printf(table, "K%d-%d,Part %d of %d,%d\n", n, i, i, n, i % 90);
    int status = ask(c, "POST", "/api/v1/imports?type=part&name=k.csv", "text/csv", buf_view(table), &json);
    if (status == 201) {
        snprintf(import->id, sizeof import->id, STR_FMT, STR_ARG(json_get_str(json, "id", STR(""))));
        import->uploaded = true;
    }
    json_free(json);
    if (status != 201) return false;
    snprintf(target, sizeof target, "/api/v1/imports/%s", import->id);
    status = ask_json(c, "POST", target, "{\"start\":true}", &json);
    json_free(json);
    if (status != 200 || !wait_for(c, import->id, "checked")) return false;
    snprintf(target, sizeof target, "/api/v1/imports/%s/apply", import->id);
    status = ask_json(c, "POST", target, "", &json);
    json_free(json);
    import->ordered = status == 200;
    if (status != 200) return false;
    if (n % 4 != 3) return wait_for(c, import->id, "done");
    clock_sleep((Nanos)(drand48() * 60) * NANOS_PER_MS); /* dropped at some moment of its application, or after it */
    snprintf(target, sizeof target, "/api/v1/imports/%s", import->id);
    status = ask_json(c, "DELETE", target, "", &json);
    json_free(json);
    import->dropped = true; /* perhaps: unless it was acknowledged, both ends are right */
    return status == 204;
}

static void *import_all(void *ctx) {
    struct buf table = {0};
    while (one_import(ctx, &table)) {
    }
    buf_fini(&table);
    return NULL;
}

static bool one_fault(struct http_client *c) {
    char body[200];
    struct json *json;
    if (t.n_faults == FAULTS_MAX) return false;
    snprintf(body, sizeof body, "{\"thing\":\"m-1\",\"component\":\"c%d\",\"occurred_at\":\"2026-03-08T10:00:00Z\"}",
             t.faults_sent++);
    int status = ask_json(c, "POST", "/api/v1/docs/fault", body, &json);
    if (status == 201) t.faults[t.n_faults++] = json_get_int(json, "id", 0);
    json_free(json);
    return status == 201;
}

static bool one_order(struct http_client *c) {
    char target[100];
    struct json *json;
    if (t.n_orders == ORDERS_MAX) return false;
    int status = ask_json(c, "POST", "/api/v1/docs/work_order", "{\"thing\":\"m-1\",\"kind\":\"request\"}", &json);
    if (status != 201) {
        json_free(json);
        return false;
    }
    struct order *order = &t.orders[t.n_orders++];
    *order = (struct order){.id = json_get_int(json, "id", 0)};
    json_free(json);
    for (int i = 0; i < 3; i++) {
        snprintf(target, sizeof target, "/api/v1/docs/work_order/%lld/%s", (long long)order->id, steps[i]);
        status = ask_json(c, "POST", target, i == 0 ? "{\"technician\":\"TE-000001\"}" : "{}", &json);
        json_free(json);
        if (status != 200) return status != 0;
        order->steps = i + 1;
    }
    return true;
}

static void *work_all(void *ctx) {
    while (one_fault(ctx) && one_order(ctx)) {
    }
    return NULL;
}

static void play_round(char *weft, char *dir, Nanos life) {
    pthread_t threads[2];
    int out, status;
    pid_t pid = start_server(weft, dir, &out);
    struct http_client clients[2];
    for (int i = 0; i < 2; i++) http_client_open(&clients[i], t.address);
    pthread_create(&threads[0], NULL, import_all, &clients[0]);
    pthread_create(&threads[1], NULL, work_all, &clients[1]);
    clock_sleep(life);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    close(out);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < 2; i++) http_client_close(&clients[i]);
    check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the server ended by itself with status %d", status);
}

/* ---- what is there in the end */

static void judge_import(struct http_client *c, int n, int *done) {
    const struct import *import = &t.imports[n];
    char target[120], state[24] = "gone";
    struct json *json;
    if (!import->uploaded) return; /* its rows have a code of their own: seen by the total below */
    for (;;) {
        snprintf(target, sizeof target, "/api/v1/imports/%s", import->id);
        int status = ask_json(c, "GET", target, "", &json);
        if (status == 200) snprintf(state, sizeof state, STR_FMT, STR_ARG(json_get_str(json, "state", STR(""))));
        json_free(json);
        check(status == 200 || (status == 404 && import->dropped), "import %s of round is answered %d", import->id,
              status);
        if (strcmp(state, "checking") != 0 && strcmp(state, "applying") != 0) break;
        clock_sleep(10 * NANOS_PER_MS);
    }
    snprintf(target, sizeof target, "/api/v1/docs/part?code~=K%d-&limit=1", n);
    int64_t rows = total(c, target);
    bool is_done = strcmp(state, "done") == 0;
    check(rows == (is_done ? ROWS : 0), "import %d is %s, and %lld of its rows are there", n, state, (long long)rows);
    check(is_done || !import->ordered || import->dropped, "import %d was acknowledged, and is %s", n, state);
    *done += is_done;
}

static void judge_faults(struct http_client *c) {
    char target[120];
    for (int i = 0; i < t.n_faults; i++) {
        int64_t n = 0;
        snprintf(target, sizeof target, "/api/v1/docs/work_order?fault=%lld&limit=1", (long long)t.faults[i]);
        for (int tries = 0; tries < 200 && (n = total(c, target)) == 0; tries++) clock_sleep(25 * NANOS_PER_MS);
        check(n == 1, "fault %lld led to %lld work orders", (long long)t.faults[i], (long long)n);
    }
}

static void judge_orders(struct http_client *c) {
    char target[120];
    for (int i = 0; i < t.n_orders; i++) {
        struct json *json;
        snprintf(target, sizeof target, "/api/v1/docs/work_order/%lld", (long long)t.orders[i].id);
        int status = ask_json(c, "GET", target, "", &json);
        Str state = status == 200 ? json_get_str(json, "state", STR("")) : STR("");
        int at = -1; /* a step more than was acknowledged may be there; travelling comes from the crew */
        for (int k = 0; k < 4; k++)
            if (str_eq_c(state, after_step[k])) at = k;
        check(at >= t.orders[i].steps || str_eq_c(state, "travelling"),
              "order %lld is '" STR_FMT "', %d steps were acknowledged", (long long)t.orders[i].id, STR_ARG(state),
              t.orders[i].steps);
        json_free(json);
    }
}

static void judge(char *weft, char *dir) {
    struct http_client c;
    int out, status, done = 0;
    pid_t pid = start_server(weft, dir, &out);
    http_client_open(&c, t.address);
    for (int i = 0; i < t.n_imports; i++) judge_import(&c, i, &done);
    int64_t parts = total(&c, "/api/v1/docs/part?code~=K&limit=1");
    check(parts == (int64_t)done * ROWS, "%lld parts are there, %d imports are done", (long long)parts, done);
    judge_faults(&c);
    judge_orders(&c);
    int moved = 0;
    for (int i = 0; i < t.n_orders; i++) moved += t.orders[i].steps;
    printf("%d imports begun, %d done; %d faults and %d steps of %d orders acknowledged\n", t.n_imports, done,
           t.n_faults, moved, t.n_orders);
    check(done > 0 && t.n_faults > 20 && moved > 20, "too little happened to mean anything");
    http_client_close(&c);
    kill(pid, SIGTERM);
    waitpid(pid, &status, 0);
    check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the server did not stop well: %d", status);
    close(out);
}

static void prepare(char *weft, char *dir) {
    char line[1000];
    int out, status;
    struct json *json;
    struct http_client c;
    char *token[] = {weft, "token", "create", "--data", dir, "--user", "ann", "--role", "manager", NULL};
    run(token, t.token, sizeof t.token);
    char *device[] = {weft, "device", "create", "--data", dir, "--name", "m-1", "--model", "kill-test", NULL};
    run(device, line, sizeof line);
    pid_t pid = start_server(weft, dir, &out);
    http_client_open(&c, t.address);
    if (ask_json(&c, "POST", "/api/v1/docs/technician", "{\"name\":\"li.wei\"}", &json) != 201)
        stop("no technician can be made");
    json_free(json);
    http_client_close(&c);
    kill(pid, SIGTERM);
    waitpid(pid, &status, 0);
    close(out);
}

int main(int argc, char **argv) {
    int64_t rounds, seed;
    if (argc != 5 || !str_to_i64(str_c(argv[3]), &rounds) || !str_to_i64(str_c(argv[4]), &seed)) {
        fprintf(stderr, "usage: import_kill_driver WEFT DATA_DIR ROUNDS SEED\n");
        return 2;
    }
    srand48(seed);
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    prepare(argv[1], argv[2]);
    for (int64_t i = 0; i < rounds; i++)
        play_round(argv[1], argv[2], 30 * NANOS_PER_MS + (Nanos)(drand48() * drand48() * 1200) * NANOS_PER_MS);
    judge(argv[1], argv[2]);
    printf("import_kill: %d passed, %d failed\n", t.passed, t.failed);
    return t.failed != 0;
}
