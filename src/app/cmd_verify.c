#include "app/cmd_verify.h"

#include <stdio.h>
#include <string.h>

#include "os/file.h"
#include "trust/receipt.h"

#define LIST_MAX 32

struct given {
    const char *receipt;
    struct note_key keys[LIST_MAX];
    Str checkpoints[LIST_MAX];
    struct receipt_proof proofs[LIST_MAX];
    size_t n_keys, n_checkpoints, n_proofs;
    struct arena arena;
};

static int help(FILE *to, int status) {
    fprintf(to,
            "usage: weft verify RECEIPT [--key KEY]… [--checkpoint FILE]… [--proof FILE]…\n\n"
            "Checks, without asking any server, that the text of a receipt stands in a ledger.\n\n"
            "  --key KEY          the ledger's key or a witness's, NAME+12345678+BASE64, or a file of such lines.\n"
            "                     Get it from somewhere else than the receipt\n"
            "  --checkpoint FILE  a checkpoint of the same ledger, as others keep it: does it show the same ledger?\n"
            "  --proof FILE       what /api/v1/ledger/proof?from=A&to=B answered, for checkpoints of other sizes\n\n"
            "Exit status: 0 all holds, 1 something does not, 3 what was given is not enough to tell.\n");
    return status;
}

static Err load(struct given *g, const char *path, Str *out) {
    struct buf bytes = {0};
    Err err = file_load(file_disk, path, RECEIPT_MAX, &bytes);
    *out = arena_str(&g->arena, buf_view(&bytes));
    buf_fini(&bytes);
    return err;
}

static Err add_key(struct given *g, Str text) {
    if (g->n_keys == LIST_MAX) return err_make(ERR_LIMIT, "at most %d keys", LIST_MAX);
    TRY(note_key_parse(text, &g->keys[g->n_keys]));
    g->n_keys++;
    return err_none();
}

static Err take_key(struct given *g, const char *value) {
    Str text, line;
    if (strchr(value, '+') && !file_exists(file_disk, value)) return add_key(g, str_c(value));
    TRY(load(g, value, &text));
    while (text.len > 0) {
        str_cut(text, '\n', &line, &text);
        if (str_trim(line).len > 0) TRY(add_key(g, line));
    }
    return err_none();
}

static Err take_flag(struct given *g, const char *flag, const char *value) {
    Str text;
    if (strcmp(flag, "--key") == 0) return take_key(g, value);
    if (g->n_checkpoints == LIST_MAX || g->n_proofs == LIST_MAX)
        return err_make(ERR_LIMIT, "at most %d files of a kind", LIST_MAX);
    TRY(load(g, value, &text));
    if (strcmp(flag, "--proof") == 0) return receipt_proof_parse(text, &g->arena, &g->proofs[g->n_proofs++]);
    g->checkpoints[g->n_checkpoints++] = text;
    return err_none();
}

static Err take(struct given *g, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        bool known =
            strcmp(argv[i], "--key") == 0 || strcmp(argv[i], "--checkpoint") == 0 || strcmp(argv[i], "--proof") == 0;
        if (known && i + 1 >= argc) return err_make(ERR_INVALID, "%s needs a value", argv[i]);
        if (known) {
            TRY(take_flag(g, argv[i], argv[i + 1]));
            i++;
        } else if (argv[i][0] == '-' || g->receipt) {
            return err_make(ERR_INVALID, "'%.60s' is not expected here: 'weft verify --help' says what is", argv[i]);
        } else {
            g->receipt = argv[i];
        }
    }
    return g->receipt ? err_none() : err_make(ERR_INVALID, "no receipt is named: give its file");
}

static void say(void *ctx, enum receipt_verdict verdict, Str words) {
    static const char *const marks[] = {"holds", "FAILS", "open"};
    (void)ctx;
    printf("%-6s " STR_FMT "\n", marks[verdict], STR_ARG(words));
}

static Err verify(struct given *g, enum receipt_verdict *verdict) {
    Str json;
    struct receipt receipt;
    TRY(load(g, g->receipt, &json));
    TRY(receipt_parse(json, &g->arena, &receipt));
    struct receipt_check check = {.receipt = &receipt,
                                  .keys = g->keys,
                                  .n_keys = g->n_keys,
                                  .checkpoints = g->checkpoints,
                                  .n_checkpoints = g->n_checkpoints,
                                  .proofs = g->proofs,
                                  .n_proofs = g->n_proofs,
                                  .say = say};
    *verdict = receipt_check(&check, &g->arena);
    static const char *const ends[] = {"proven", "NOT proven", "not proven: more is needed to tell"};
    printf("\n%s:\n" STR_FMT "\n", ends[*verdict], STR_ARG(receipt.text));
    return err_none();
}

int cmd_verify(int argc, char **argv) {
    static const int statuses[] = {0, 1, 3};
    static struct given g; /* too large for the stack */
    enum receipt_verdict verdict = RECEIPT_OPEN;
    if (argc > 1 && strcmp(argv[1], "--help") == 0) return help(stdout, 0);
    if (argc < 2) return help(stderr, 2);
    arena_init(&g.arena, 0);
    Err err = take(&g, argc, argv);
    if (err.code == ERR_NONE) err = verify(&g, &verdict);
    arena_fini(&g.arena);
    if (err.code == ERR_NONE) return fflush(stdout) == 0 ? statuses[verdict] : 1;
    fprintf(stderr, "weft verify: %s\n", err.text);
    return 2;
}
