#include "app/control.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/jw.h"
#include "base/log.h"
#include "os/local.h"
#include "os/thread.h"

#define SOCKET_NAME "weft.sock"
#define WORDS_MAX 64
#define REQUEST_MAX (64 * 1024)
#define ACCEPT_WAIT (200 * NANOS_PER_MS)

static void print_to(struct control_out *out, char stream, const char *fmt, va_list args) {
    char text[2048];
    int n = vsnprintf(text, sizeof text, fmt, args);
    ASSERT(n >= 0 && (size_t)n < sizeof text);
    out->write(out->ctx, stream, str_n(text, (size_t)n));
}

void control_print(struct control_out *out, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    print_to(out, 'o', fmt, args);
    va_end(args);
}

void control_note(struct control_out *out, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    print_to(out, 'e', fmt, args);
    va_end(args);
}

/* ---- flags */
static bool split_flag(const char *word, Str *name, Str *value, bool *joined) {
    if (strncmp(word, "--", 2) != 0) return false;
    *joined = str_cut(str_c(word + 2), '=', name, value);
    return true;
}

Err control_flags(int argc, char **argv, const char *known, const char *switches) {
    for (int i = 0; i < argc; i++) {
        Str name, value;
        bool joined;
        if (!split_flag(argv[i], &name, &value, &joined))
            return err_make(ERR_INVALID, "'%.60s' is not expected here: flags are --%s", argv[i], known);
        if (doctype_names(switches, name) && !joined) continue;
        if (!doctype_names(known, name))
            return err_make(ERR_INVALID, "unknown flag '%.60s': flags are %s|%s", argv[i], known, switches);
        if (!joined && ++i >= argc) return err_make(ERR_INVALID, "--" STR_FMT " needs a value", STR_ARG(name));
    }
    return err_none();
}

Str control_flag(int argc, char **argv, const char *name, Str fallback) {
    for (int i = 0; i < argc; i++) {
        Str key, value;
        bool joined;
        if (!split_flag(argv[i], &key, &value, &joined) || !str_eq_c(key, name)) continue;
        if (joined) return value;
        if (i + 1 < argc) return str_c(argv[i + 1]);
    }
    return fallback;
}

bool control_switch(int argc, char **argv, const char *name) {
    for (int i = 0; i < argc; i++)
        if (strncmp(argv[i], "--", 2) == 0 && strcmp(argv[i] + 2, name) == 0) return true;
    return false;
}

/* ---- the command's side */
static bool write_std(void *ctx, char stream, Str bytes) {
    (void)ctx;
    return fwrite(bytes.ptr, 1, bytes.len, stream == 'o' ? stdout : stderr) == bytes.len;
}

static int finish(Err err, const struct control_command *command, struct control_out *out) {
    if (err.code == ERR_NONE) return 0;
    control_note(out, "weft %s %s: %s\n", command->name, command->verb, err.text);
    return err.code == ERR_INVALID ? 2 : 1;
}

static Err read_all(int fd, void *into, size_t n) {
    size_t at = 0, got = 0;
    while (at < n) {
        TRY(local_read(fd, (char *)into + at, n - at, &got));
        if (got == 0) return err_make(ERR_IO, "the server went away in the middle of its answer: try again");
        at += got;
    }
    return err_none();
}

static Err relay(int fd, int *status) {
    struct buf bytes = {0};
    Err err;
    for (;;) {
        unsigned char head[5];
        if ((err = read_all(fd, head, sizeof head)).code != ERR_NONE) break;
        size_t n = (size_t)head[1] | (size_t)head[2] << 8 | (size_t)head[3] << 16 | (size_t)head[4] << 24;
        buf_clear(&bytes);
        buf_reserve(&bytes, n);
        if ((err = read_all(fd, bytes.ptr, n)).code != ERR_NONE) break;
        if (head[0] == 'x') {
            *status = n == 1 ? bytes.ptr[0] : 1;
            break;
        }
        if (!write_std(NULL, (char)head[0], str_n(bytes.ptr, n))) break;
    }
    buf_fini(&bytes);
    return err;
}

static Err ask_server(const char *dir, int argc, char **argv, int *status) {
    int fd;
    TRY(local_connect(dir, SOCKET_NAME, &fd));
    struct buf request = {0};
    struct jw w;
    jw_init(&w, &request);
    jw_array(&w);
    for (int i = 0; i < argc; i++) jw_c(&w, argv[i]);
    jw_array_end(&w);
    buf_byte(&request, '\n');
    Err err = local_write(fd, buf_view(&request));
    buf_fini(&request);
    if (err.code == ERR_NONE) err = relay(fd, status);
    local_close(fd);
    return err;
}

static Err run_here(const struct control_command *command, const char *dir, const char *records, int argc, char **argv,
                    struct control_out *out) {
    struct workspace workspace;
    struct workspace_options options = {.dir = dir,
                                        .records = records,
                                        .must_exist = command->must_exist,
                                        .series_read_only = command->reads_series_only};
    TRY(workspace_open(&options, &workspace));
    Err err = command->run(&workspace, argc, argv, out);
    workspace_close(&workspace);
    return err;
}

int control_main(const struct control_command *command, int argc, char **argv) {
    struct control_out out = {.write = write_std};
    if (argc < 2 || strcmp(argv[1], command->verb) != 0 || control_switch(argc, argv, "help")) {
        bool asked = control_switch(argc, argv, "help");
        fprintf(asked ? stdout : stderr, "usage: weft %s %s --data DIR %s\n", command->name, command->verb,
                command->usage);
        return asked ? 0 : 2;
    }
    char *words[WORDS_MAX] = {argv[0], argv[1]};
    int n = 2;
    const char *dir = "data", *records = getenv("WEFT_STORE_RECORDS");
    for (int i = 2; i < argc && n < WORDS_MAX; i++) {
        if (strcmp(argv[i], "--data") == 0 && i + 1 < argc)
            dir = argv[++i];
        else if (strncmp(argv[i], "--data=", 7) == 0)
            dir = argv[i] + 7;
        else if (strcmp(argv[i], "--store-records") == 0 && i + 1 < argc)
            records = argv[++i];
        else
            words[n++] = argv[i];
    }
    Err err = run_here(command, dir, records, n - 2, words + 2, &out);
    int status = 1;
    if (err.code == ERR_LOCKED) {
        err = ask_server(dir, n, words, &status);
        if (err.code == ERR_NONE) return fflush(stdout) == 0 ? status : 1;
        if (err.code == ERR_NOT_FOUND)
            err = err_make(ERR_LOCKED,
                           "another process holds '%s' but does not answer: wait until it is ready or stop it", dir);
    }
    status = finish(err, command, &out);
    return fflush(stdout) == 0 ? status : 1;
}

/* ---- the server's side: one thread, one command at a time */
struct control {
    struct workspace *workspace;
    const struct control_command *const *commands;
    struct thread *thread;
    int listener;
    atomic_bool stopping;
};

static bool write_frame(void *ctx, char stream, Str bytes) {
    int fd = *(int *)ctx;
    unsigned char head[5] = {(unsigned char)stream, (unsigned char)bytes.len, (unsigned char)(bytes.len >> 8),
                             (unsigned char)(bytes.len >> 16), (unsigned char)(bytes.len >> 24)};
    return local_write(fd, str_n((char *)head, sizeof head)).code == ERR_NONE &&
           local_write(fd, bytes).code == ERR_NONE;
}

static Err read_words(int fd, struct json **out) {
    struct buf line = {0};
    Err err = err_none();
    while (err.code == ERR_NONE && (line.len == 0 || line.ptr[line.len - 1] != '\n')) {
        char part[4096];
        size_t got = 0;
        err = local_read(fd, part, sizeof part, &got);
        if (err.code == ERR_NONE && (got == 0 || line.len + got > REQUEST_MAX))
            err = err_make(ERR_INVALID, "a command is one line of JSON of at most %d bytes", REQUEST_MAX);
        if (err.code == ERR_NONE) buf_add(&line, part, got);
    }
    if (err.code == ERR_NONE) err = json_parse(buf_view(&line), out);
    buf_fini(&line);
    return err;
}

static int run_words(struct control *control, const struct json *json, struct arena *arena, struct control_out *out) {
    char *words[WORDS_MAX];
    int n = 0;
    for (size_t i = 0; json_kind(json) == JSON_ARRAY && i < json_len(json) && n < WORDS_MAX; i++)
        if (json_kind(json_at(json, i)) == JSON_STRING) words[n++] = arena_c(arena, json_str(json_at(json, i)));
    for (size_t i = 0; n >= 2 && control->commands[i]; i++) {
        const struct control_command *c = control->commands[i];
        if (strcmp(c->name, words[0]) != 0 || strcmp(c->verb, words[1]) != 0) continue;
        return finish(c->run(control->workspace, n - 2, words + 2, out), c, out);
    }
    control_note(out, "weft: the running server does not know this command: is it of another version?\n");
    return 2;
}

static void answer(struct control *control, int fd) {
    struct control_out out = {.write = write_frame, .ctx = &fd};
    struct arena arena;
    arena_init(&arena, 0);
    struct json *json = NULL;
    Err err = read_words(fd, &json);
    int status = 2;
    if (err.code == ERR_NONE)
        status = run_words(control, json, &arena, &out);
    else
        control_note(&out, "weft: %s\n", err.text);
    char byte = (char)status;
    write_frame(&fd, 'x', str_n(&byte, 1));
    json_free(json);
    arena_fini(&arena);
}

static void run(void *ctx) {
    struct control *control = ctx;
    while (!atomic_load(&control->stopping)) {
        int fd = -1;
        bool timed_out = false;
        Err err = local_accept(control->listener, ACCEPT_WAIT, &fd, &timed_out);
        if (err.code != ERR_NONE) LOG_WARN("control.accept", LOG_C("reason", err.text));
        if (err.code != ERR_NONE || timed_out) continue;
        answer(control, fd);
        local_close(fd);
    }
}

Err control_start(struct workspace *workspace, const char *dir, const struct control_command *const *commands,
                  struct control **out) {
    struct control *control = calloc(1, sizeof *control);
    ASSERT(control);
    *control = (struct control){.workspace = workspace, .commands = commands};
    Err err = local_listen(dir, SOCKET_NAME, &control->listener);
    if (err.code == ERR_NONE) {
        err = thread_start(&control->thread, "control", run, control);
        if (err.code != ERR_NONE) local_close(control->listener);
    }
    if (err.code != ERR_NONE)
        free(control);
    else
        *out = control;
    return err;
}

void control_stop(struct control *control) {
    if (!control) return;
    atomic_store(&control->stopping, true);
    thread_join(control->thread);
    local_close(control->listener);
    free(control);
}
