#include "app/cmd_key.h"

#include <stdio.h>
#include <string.h>

#include "app/settings.h"
#include "store/records.h"
#include "trust/audit.h"
#include "trust/disclosures.h"
#include "trust/people.h"
#include "trust/seal.h"

/* What was done stands in the audit of the party. */
static Err write_note(void *ctx, struct records_txn *txn) { return audit_add(txn, ctx); }

static Err note(struct workspace *w, PartyId party, const char *action) {
    struct audit_row row = {
        .at = clock_now(w->clock), .party = party, .who = STR("command"), .action = str_c(action), .type = STR("key")};
    return records_write(w->records, write_note, &row);
}

/* Beside a running server the seal is open; on a stopped folder the settings say where its master key is. */
static Err open_seal(struct workspace *w, int argc, char **argv) {
    struct settings settings;
    if (w->seal) return err_none();
    settings_init(&settings);
    Str file = control_flag(argc, argv, "settings", (Str){0});
    Err err = file.len > 0 ? settings_load(&settings, file.ptr) : err_none();
    if (err.code == ERR_NONE) err = settings_environment(&settings);
    if (err.code == ERR_NONE) err = workspace_seal(w, &settings);
    settings_fini(&settings);
    return err;
}

static Err party_of(struct workspace *w, int argc, char **argv, PartyId *out) {
    Str name = control_flag(argc, argv, "party", (Str){0});
    if (name.len == 0) return err_make(ERR_INVALID, "--party is missing: name the party whose key is meant");
    return workspace_party(w, name, false, out);
}

static Err rotate(struct workspace *w, int argc, char **argv, struct control_out *out) {
    PartyId party;
    TRY(control_flags(argc, argv, "party|settings", ""));
    TRY(party_of(w, argc, argv, &party));
    TRY(open_seal(w, argc, argv));
    TRY(seal_rotate(w->seal, party));
    TRY(note(w, party, "key.rotate"));
    control_print(out, "new secrets are sealed with a new key; old ones still open\n");
    return err_none();
}

static Err erase(struct workspace *w, int argc, char **argv, struct control_out *out) {
    PartyId party;
    TRY(control_flags(argc, argv, "party|settings", "yes"));
    TRY(party_of(w, argc, argv, &party));
    if (!control_switch(argc, argv, "yes"))
        return err_make(ERR_INVALID, "nobody can read the party's secrets after that, ever: add --yes to go on");
    TRY(open_seal(w, argc, argv));
    TRY(seal_erase(w->seal, party));
    TRY(disclosures_forget(w->records, party));
    TRY(note(w, party, "key.erase"));
    control_print(out, "the key is erased here; copies of it that you keep elsewhere are yours to destroy\n");
    return err_none();
}

static Err rewrap(struct workspace *w, int argc, char **argv, struct control_out *out) {
    TRY(control_flags(argc, argv, "master-file|master-env|master-command|settings", "own"));
    Str file = control_flag(argc, argv, "master-file", (Str){0}),
        env = control_flag(argc, argv, "master-env", (Str){0});
    Str command = control_flag(argc, argv, "master-command", (Str){0});
    bool own = control_switch(argc, argv, "own");
    if ((file.len > 0) + (env.len > 0) + (command.len > 0) + own != 1)
        return err_make(ERR_INVALID,
                        "name the new master key once: --master-file, --master-env, --master-command, or --own for one "
                        "made in the data folder");
    struct seal_options to = {.master_file = file.ptr, .master_env = env.ptr, .master_command = command.ptr};
    TRY(open_seal(w, argc, argv));
    TRY(seal_rewrap(w->seal, &to));
    TRY(note(w, 0, "key.rewrap"));
    control_print(out, "done: set [seal] to the new master key before the next start; the old one opens nothing now\n");
    return err_none();
}

const struct control_command cmd_key_rotate = {
    .name = "key", .verb = "rotate", .usage = "--party NAME", .must_exist = true, .run = rotate};
const struct control_command cmd_key_rewrap = {
    .name = "key",
    .verb = "rewrap",
    .usage = "--master-file PATH | --master-env NAME | --master-command COMMAND | --own",
    .must_exist = true,
    .run = rewrap};
const struct control_command cmd_key_erase = {
    .name = "key", .verb = "erase", .usage = "--party NAME --yes", .must_exist = true, .run = erase};

int cmd_key(int argc, char **argv) {
    static const struct control_command *const verbs[] = {&cmd_key_rotate, &cmd_key_rewrap, &cmd_key_erase};
    for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(argv[1], verbs[i]->verb) == 0) return control_main(verbs[i], argc, argv);
    bool asked = argc > 1 && strcmp(argv[1], "--help") == 0;
    fprintf(asked ? stdout : stderr, "usage: weft key rotate|rewrap|erase --data DIR …\n"
                                     "On a stopped folder --settings FILE, or the environment, says where the master "
                                     "key is.\nweft key VERB --help says more.\n");
    return asked ? 0 : 2;
}
