/*
 * Commands that work on a stopped folder and beside a running server alike. When the folder is free the command opens
 * it; when a server owns it the command's words go through the folder's socket and the server answers them, streaming.
 *
 * Wire: the request is one JSON array of words and a newline. The answer is frames of a byte ('o' output, 'e' note for
 * standard error, 'x' exit status) and a 32-bit little-endian length, then that many bytes.
 */
#ifndef APP_CONTROL_H
#define APP_CONTROL_H

#include "app/workspace.h"
#include "base/str.h"
#include "model/doctype.h"

/* Where a command's answer goes. write returns false when the reader has gone. */
struct control_out {
    bool (*write)(void *ctx, char stream, Str bytes);
    void *ctx;
};
void control_print(struct control_out *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void control_note(struct control_out *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* One command: `weft NAME VERB …`. run gets the words behind the verb, without --data DIR. */
struct control_command {
    const char *name, *verb, *usage;
    bool must_exist, reads_series_only;
    Err (*run)(struct workspace *workspace, int argc, char **argv, struct control_out *out);
};

/* From the command line: argv[0] is NAME. Returns the exit status. */
int control_main(const struct control_command *command, int argc, char **argv);
/* Value of `--name VALUE` or `--name=VALUE` among the words, or fallback. ERR_INVALID for a flag not in `known` (joined
 * by '|'). */
Err control_flags(int argc, char **argv, const char *known, const char *switches);
Str control_flag(int argc, char **argv, const char *name, Str fallback);
bool control_switch(int argc, char **argv, const char *name);

struct control; /* the server's side */
Err control_start(struct workspace *workspace, const char *dir, const struct control_command *const *commands,
                  struct control **out);
void control_stop(struct control *control);

#endif
