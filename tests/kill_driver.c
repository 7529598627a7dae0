/*
 * Kills a server at random moments and sees whether it kept its word: every message that was acknowledged is in the
 * export afterwards, once, and nothing is there that was not sent.
 *
 *     kill_driver WEFT DATA_DIR ROUNDS SEED
 *
 * Each round starts `WEFT serve`, publishes at QoS 1 on several connections of different kinds (see kinds) and sends
 * SIGKILL after a random time. Then `WEFT export series` is read, from the folder as the last kill left it.
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
#include "base/map.h"
#include "base/time.h"
#include "base/vec.h"
#include "connect/mqtt_client.h"
#include "os/clock.h"

#define SENDERS 6
#define WINDOW 20

/* A value that was sent. */
struct sample {
    bool acked;
    unsigned found;
};

struct sender;
typedef void say_fn(struct sender *s, uint64_t n);

struct sender {
    const char *device;
    bool gateway;
    say_fn *say;
    char user[80], password[80];
    const char *address; /* of this round's server */
    struct mqtt_client *client;
    uint64_t said;
    Err err;
    /* Of each message of this connection, in order, the samples it holds. */
    struct buf keys;
    size_t *message_at;
    size_t n_messages, cap_messages;
    uint64_t acked;
    unsigned connects;
};

static int passed, failed;

static void check(bool ok, const char *fmt, ...) {
    va_list args;
    ok ? passed++ : failed++;
    if (ok) return;
    fputs("FAIL ", stdout);
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    putchar('\n');
}

static _Noreturn void stop(const char *what, Err err) {
    printf("FAIL %s: %s\nkill: %d passed, %d failed\n", what, err.text, passed, failed + 1);
    exit(1);
}

/* ---- what is sent; a key is "thing,time,metric,value" as export prints it, time empty when the server gives it */

static void add_key(struct sender *s, const char *fmt, ...) {
    va_list args;
    char text[200];
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    buf_add(&s->keys, text, (size_t)n + 1);
}

static void publish(struct sender *s, const char *fmt, ...) {
    va_list args;
    char payload[400];
    va_start(args, fmt);
    int n = vsnprintf(payload, sizeof payload, fmt, args);
    va_end(args);
    Str topic = s->gateway ? STR("v1/gateway/telemetry") : STR("v1/devices/me/telemetry");
    /* Noted before it is sent: it may be kept even when nobody says so. */
    VEC_PUSH(s->message_at, s->n_messages, s->cap_messages, s->keys.len);
    if (s->err.code == ERR_NONE) s->err = mqtt_client_publish(s->client, topic, str_n(payload, (size_t)n), 1, false);
}

static const char *when(uint64_t n, char out[TIME_TEXT_MAX + 1]) {
    Str text = time_format((Nanos)(1700000000000 + n) * NANOS_PER_MS, out);
    out[text.len] = 0;
    return out;
}

static void say_timed(struct sender *s, uint64_t n) {
    char at[TIME_TEXT_MAX + 1];
    add_key(s, "%s,%s,count,%llu", s->device, when(n, at), (unsigned long long)n);
    add_key(s, "%s,%s,half,%llu.5", s->device, at, (unsigned long long)n);
    add_key(s, "%s,%s,name,n%llu", s->device, at, (unsigned long long)n);
    publish(s, "{\"ts\":%llu,\"values\":{\"count\":%llu,\"half\":%llu.5,\"name\":\"n%llu\"}}",
            (unsigned long long)(1700000000000 + n), (unsigned long long)n, (unsigned long long)n,
            (unsigned long long)n);
}

/* Two messages with one time and different metrics. */
static void say_in_two(struct sender *s, uint64_t n) {
    char at[TIME_TEXT_MAX + 1];
    const char *metric = n % 2 ? "right" : "left";
    add_key(s, "%s,%s,%s,%llu", s->device, when(n / 2, at), metric, (unsigned long long)n);
    publish(s, "{\"ts\":%llu,\"values\":{\"%s\":%llu}}", (unsigned long long)(1700000000000 + n / 2), metric,
            (unsigned long long)n);
}

static void say_untimed(struct sender *s, uint64_t n) {
    add_key(s, "%s,,burst,%llu", s->device, (unsigned long long)n);
    publish(s, "{\"burst\":%llu}", (unsigned long long)n);
}

static void say_for_others(struct sender *s, uint64_t n) {
    char at[TIME_TEXT_MAX + 1];
    unsigned one = (unsigned)(n % 7), other = (unsigned)(7 + n % 5);
    add_key(s, "part%u,%s,count,%llu", one, when(n, at), (unsigned long long)n);
    add_key(s, "part%u,%s,on,%s", other, at, n % 2 ? "true" : "false");
    publish(
        s, "{\"part%u\":[{\"ts\":%llu,\"values\":{\"count\":%llu}}],\"part%u\":[{\"ts\":%llu,\"values\":{\"on\":%s}}]}",
        one, (unsigned long long)(1700000000000 + n), (unsigned long long)n, other,
        (unsigned long long)(1700000000000 + n), n % 2 ? "true" : "false");
}

/* An array of rows in one message. */
static void say_many(struct sender *s, uint64_t n) {
    struct buf all = {0};
    for (uint64_t i = n * 5; i < n * 5 + 5; i++) {
        char at[TIME_TEXT_MAX + 1];
        add_key(s, "%s,%s,count,%llu", s->device, when(i, at), (unsigned long long)i);
        buf_printf(&all, "%s{\"ts\":%llu,\"values\":{\"count\":%llu}}", i % 5 ? "," : "",
                   (unsigned long long)(1700000000000 + i), (unsigned long long)i);
    }
    publish(s, "[" STR_FMT "]", STR_ARG(buf_view(&all)));
    buf_fini(&all);
}

static struct sender senders[SENDERS] = {
    {.device = "timed", .say = say_timed},   {.device = "timed2", .say = say_timed},
    {.device = "in_two", .say = say_in_two}, {.device = "untimed", .say = say_untimed},
    {.device = "many", .say = say_many},     {.device = "gate", .gateway = true, .say = say_for_others},
};

/* ---- processes */

/* Starts a program; what it prints can be read from *out. */
static pid_t start(char *const argv[], int *out) {
    int ends[2];
    if (pipe(ends) != 0) stop("pipe", err_make(ERR_IO, "no pipe"));
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

static Str read_line(int fd, char *line, size_t max) {
    size_t n = 0;
    while (n + 1 < max && read(fd, line + n, 1) == 1 && line[n] != '\n') n++;
    return str_n(line, n);
}

static struct json *run_json(char *const argv[]) {
    int out, status;
    char line[1000];
    pid_t pid = start(argv, &out);
    Str text = read_line(out, line, sizeof line);
    struct json *json = NULL;
    Err err = json_parse(text, &json);
    close(out);
    waitpid(pid, &status, 0);
    if (err.code != ERR_NONE || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        stop(argv[1], err_make(ERR_INVALID, "it failed or printed no JSON: '" STR_FMT "'", STR_ARG(text)));
    return json;
}

static void make_device(char *weft, char *dir, struct sender *s) {
    char name[40];
    snprintf(name, sizeof name, "%s", s->device);
    char *argv[] = {weft,     "device", "create",  "--data",    dir,
                    "--name", name,     "--model", "kill-test", s->gateway ? "--gateway" : NULL,
                    NULL};
    struct json *json = run_json(argv);
    snprintf(s->user, sizeof s->user, STR_FMT, STR_ARG(json_get_str(json, "user", STR(""))));
    snprintf(s->password, sizeof s->password, STR_FMT, STR_ARG(json_get_str(json, "password", STR(""))));
    json_free(json);
}

static pid_t start_server(char *weft, char *dir, char address[64], int *out) {
    char *argv[] = {weft, "serve", "--data", dir, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", NULL};
    char line[1000];
    pid_t pid = start(argv, out);
    struct json *json = NULL;
    Err err = json_parse(read_line(*out, line, sizeof line), &json);
    if (err.code != ERR_NONE) stop("serve", err);
    snprintf(address, 64, STR_FMT, STR_ARG(json_get_str(json, "mqtt", STR(""))));
    json_free(json);
    return pid;
}

/* ---- a round */

static void on_ack(void *ctx, uint64_t number, unsigned reason) {
    struct sender *s = ctx;
    if (reason < 0x80 && number == s->acked + 1)
        s->acked++;
    else
        s->err = err_make(ERR_INVALID, "message %llu was answered with %u, out of order or refused",
                          (unsigned long long)number, reason);
}

/* Publishes until the server dies. What was acknowledged are the first messages of the connection, in order. */
static void *send_all(void *ctx) {
    struct sender *s = ctx;
    struct mqtt_client_options options = {.address = s->address,
                                          .client_id = str_c(s->device),
                                          .user = str_c(s->user),
                                          .password = str_c(s->password),
                                          .window = WINDOW,
                                          .on_ack = on_ack,
                                          .ctx = s};
    buf_clear(&s->keys);
    s->n_messages = 0;
    s->acked = 0;
    s->err = mqtt_client_open(&options, &s->client);
    if (s->err.code != ERR_NONE) return NULL;
    s->connects++;
    while (s->err.code == ERR_NONE) {
        uint64_t burst = 1 + s->said % 13;
        for (uint64_t i = 0; i < burst && s->err.code == ERR_NONE; i++) s->say(s, s->said++);
        if (s->err.code == ERR_NONE)
            s->err = s->said % 3 ? mqtt_client_poll(s->client, 0) : mqtt_client_flush(s->client);
    }
    mqtt_client_abort(s->client);
    return NULL;
}

static void note(struct map *samples, struct sample **all, size_t *n, size_t *cap, const struct sender *s) {
    for (size_t m = 0; m < s->n_messages; m++) {
        /* A message's keys were added before its place was noted: they stand between the place before and its own. */
        size_t begin = m ? s->message_at[m - 1] : 0, end = s->message_at[m];
        for (size_t at = begin; at < end; at += strlen(s->keys.ptr + at) + 1) {
            Str key = str_c(s->keys.ptr + at);
            struct sample fresh = {.acked = m < s->acked};
            map_put(samples, key, *n);
            VEC_PUSH(*all, *n, *cap, fresh);
        }
    }
}

static void play_round(char *weft, char *dir, Nanos life) {
    char address[64];
    int out, status;
    pthread_t threads[SENDERS];
    pid_t pid = start_server(weft, dir, address, &out);
    for (int i = 0; i < SENDERS; i++) {
        senders[i].address = address;
        pthread_create(&threads[i], NULL, send_all, &senders[i]);
    }
    clock_sleep(life);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    close(out);
    for (int i = 0; i < SENDERS; i++) pthread_join(threads[i], NULL);
    check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the server ended by itself with status %d", status);
}

/* ---- the export */

struct tally {
    uint64_t lines, foreign;
};

static void take_line(struct map *samples, struct sample *all, Str line, struct tally *tally) {
    uint64_t at;
    char bare[400];
    tally->lines++;
    if (!map_get(samples, line, &at)) { /* perhaps one whose time the server gave */
        Str thing, rest, time, value;
        str_cut(line, ',', &thing, &rest);
        str_cut(rest, ',', &time, &value);
        int n = snprintf(bare, sizeof bare, STR_FMT ",," STR_FMT, STR_ARG(thing), STR_ARG(value));
        if (!map_get(samples, str_n(bare, (size_t)n), &at)) {
            if (tally->foreign++ < 3) printf("not sent: " STR_FMT "\n", STR_ARG(line));
            return;
        }
    }
    all[at].found++;
}

static struct tally read_export(char *weft, char *dir, struct map *samples, struct sample *all) {
    char *argv[] = {weft, "export", "series", "--data", dir, NULL};
    int fd, status;
    pid_t pid = start(argv, &fd);
    FILE *in = fdopen(fd, "r");
    char *line = NULL;
    size_t cap = 0;
    struct tally tally = {0};
    ssize_t n = getline(&line, &cap, in);
    check(n > 0 && strcmp(line, "thing,time,metric,value\n") == 0, "export's first line is '%s'", n > 0 ? line : "");
    while ((n = getline(&line, &cap, in)) > 0) take_line(samples, all, str_trim(str_n(line, (size_t)n)), &tally);
    free(line);
    fclose(in);
    waitpid(pid, &status, 0);
    check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "export failed with status %d", status);
    return tally;
}

static void judge(struct map *samples, const struct sample *all, struct tally tally) {
    uint64_t acked = 0, lost = 0, twice = 0;
    size_t at = 0;
    Str key;
    for (uint64_t i; map_next(samples, &at, &key, &i);) {
        acked += all[i].acked;
        if (all[i].acked && all[i].found == 0 && lost++ < 5) printf("lost: " STR_FMT "\n", STR_ARG(key));
        if (all[i].found > 1 && twice++ < 5) printf("twice: " STR_FMT "\n", STR_ARG(key));
    }
    printf("%llu samples acknowledged, %llu sent, %llu exported\n", (unsigned long long)acked,
           (unsigned long long)samples->count, (unsigned long long)tally.lines);
    check(acked > 1000, "only %llu samples were acknowledged: too few to mean anything", (unsigned long long)acked);
    check(lost == 0, "%llu acknowledged samples are lost", (unsigned long long)lost);
    check(twice == 0, "%llu samples are there twice", (unsigned long long)twice);
    check(tally.foreign == 0, "%llu samples are there that nobody sent", (unsigned long long)tally.foreign);
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: kill_driver WEFT DATA_DIR ROUNDS SEED\n");
        return 2;
    }
    int64_t rounds, seed;
    if (!str_to_i64(str_c(argv[3]), &rounds) || !str_to_i64(str_c(argv[4]), &seed)) {
        fprintf(stderr, "kill_driver: ROUNDS and SEED are numbers\n");
        return 2;
    }
    srand48(seed);
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct map samples;
    struct sample *all = NULL;
    size_t n = 0, cap = 0;
    map_init(&samples);
    for (int i = 0; i < SENDERS; i++) make_device(argv[1], argv[2], &senders[i]);
    for (int64_t i = 0; i < rounds; i++) {
        play_round(argv[1], argv[2], 20 * NANOS_PER_MS + (Nanos)(drand48() * drand48() * 800) * NANOS_PER_MS);
        for (int k = 0; k < SENDERS; k++) note(&samples, &all, &n, &cap, &senders[k]);
    }
    for (int k = 0; k < SENDERS; k++)
        check(senders[k].connects > 0, "device '%s' never connected: %s", senders[k].device, senders[k].err.text);
    judge(&samples, all, read_export(argv[1], argv[2], &samples, all));
    printf("kill: %d passed, %d failed\n", passed, failed);
    return failed != 0;
}
