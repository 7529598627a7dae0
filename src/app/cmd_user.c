#include "app/cmd_user.h"

#include <stdio.h>
#include <string.h>

#include "trust/people.h"
#include "trust/secret.h"

/* Nobody types a password on a command line, where others can read it: it is made here, told once, and has to be
 * changed at the first sign-in. */
static void make_password(char out[24]) {
    char letters[16];
    secret_text(letters, 15);
    snprintf(out, 24, "%.5s-%.5s-%.5s", letters, letters + 5, letters + 10);
}

static Err read_user(int argc, char **argv, Str *user) {
    *user = control_flag(argc, argv, "user", (Str){0});
    return user->len > 0 ? err_none() : err_make(ERR_INVALID, "--user is missing: the name somebody signs in with");
}

static Err read_roles(int argc, char **argv, unsigned *roles) {
    Str list = control_flag(argc, argv, "roles", (Str){0}), one;
    enum role role;
    *roles = 0;
    if (list.len == 0) return err_make(ERR_INVALID, "--roles is missing: for instance manager, or technician,viewer");
    while (list.len > 0) {
        str_cut(list, ',', &one, &list);
        if (!principal_role_parse(str_trim(one), &role))
            return err_make(ERR_INVALID, "'" STR_FMT "' is no role: operator, manager, technician, worker or viewer",
                            STR_ARG(str_slice(one, 0, 60)));
        *roles |= ROLE_BIT(role);
    }
    return err_none();
}

static Err add(struct workspace *w, int argc, char **argv, struct control_out *out) {
    char password[24];
    PartyId party;
    unsigned roles;
    Str user;
    TRY(control_flags(argc, argv, "user|roles|party", ""));
    TRY(read_user(argc, argv, &user));
    TRY(read_roles(argc, argv, &roles));
    TRY(workspace_party(w, control_flag(argc, argv, "party", (Str){0}), false, &party));
    struct principal by = principal_system(party, "command");
    make_password(password);
    TRY(people_add_user(w->people, &by, party, user, (Str){0}, roles));
    TRY(people_set_password_once(w->people, &by, party, user, str_c(password)));
    control_print(out, "%s\n", password);
    control_note(out, "good for the first sign-in, which asks for another\n");
    return err_none();
}

static Err new_password(struct workspace *w, int argc, char **argv, struct control_out *out) {
    char password[24];
    PartyId party;
    Str user;
    TRY(control_flags(argc, argv, "user|party", ""));
    TRY(read_user(argc, argv, &user));
    TRY(workspace_party(w, control_flag(argc, argv, "party", (Str){0}), false, &party));
    struct principal by = principal_system(party, "command");
    make_password(password);
    TRY(people_set_password_once(w->people, &by, party, user, str_c(password)));
    control_print(out, "%s\n", password);
    control_note(out, "good for the next sign-in, which asks for another; every session of '" STR_FMT "' has ended\n",
                 STR_ARG(user));
    return err_none();
}

static Err set_roles(struct workspace *w, int argc, char **argv, struct control_out *out) {
    PartyId party;
    unsigned roles;
    Str user;
    TRY(control_flags(argc, argv, "user|roles|party", ""));
    TRY(read_user(argc, argv, &user));
    TRY(read_roles(argc, argv, &roles));
    TRY(workspace_party(w, control_flag(argc, argv, "party", (Str){0}), false, &party));
    struct principal by = principal_system(party, "command");
    TRY(people_set_roles(w->people, &by, party, user, roles));
    control_note(out, "done: what was taken away has ended\n");
    return err_none();
}

static void print_roles(struct control_out *out, unsigned roles) {
    const char *between = "";
    for (int role = 0; role < ROLE_SYSTEM; role++) {
        if (!(roles & ROLE_BIT(role))) continue;
        control_print(out, "%s%s", between, principal_role_name((enum role)role));
        between = ",";
    }
}

static Err list(struct workspace *w, int argc, char **argv, struct control_out *out) {
    struct arena arena;
    struct people_user *users;
    PartyId party;
    size_t n = 0;
    TRY(control_flags(argc, argv, "party", ""));
    TRY(workspace_party(w, control_flag(argc, argv, "party", (Str){0}), false, &party));
    arena_init(&arena, 0);
    Err err = people_users(w->people, party, &arena, &users, &n);
    for (size_t i = 0; err.code == ERR_NONE && i < n; i++) {
        control_print(out, STR_FMT "\t", STR_ARG(users[i].name));
        print_roles(out, users[i].roles);
        control_print(out, "\t%s%s\n", users[i].password ? "password" : "tokens",
                      users[i].second_factor ? "+code" : "");
    }
    arena_fini(&arena);
    return err;
}

static Err party_add(struct workspace *w, int argc, char **argv, struct control_out *out) {
    PartyId party = 0;
    TRY(control_flags(argc, argv, "name", ""));
    Str name = control_flag(argc, argv, "name", (Str){0});
    if (name.len == 0) return err_make(ERR_INVALID, "--name is missing: a short name, for instance acme");
    struct principal by = principal_system(0, "command");
    TRY(people_party_make(w->people, &by, name, NULL, &party));
    control_print(out, "%u\n", party);
    return err_none();
}

static Err party_list(struct workspace *w, int argc, char **argv, struct control_out *out) {
    struct arena arena;
    struct people_card *cards;
    size_t n = 0;
    TRY(control_flags(argc, argv, "", ""));
    arena_init(&arena, 0);
    Err err = people_party_cards(w->people, (Str){0}, SIZE_MAX, &arena, &cards, &n);
    for (size_t i = 0; err.code == ERR_NONE && i < n; i++)
        control_print(out, "%u\t" STR_FMT "\t" STR_FMT "\t%s\n", cards[i].id, STR_ARG(cards[i].name),
                      STR_ARG(cards[i].uscc), people_operates(w->people, cards[i].id) ? "operates" : "");
    arena_fini(&arena);
    return err;
}

const struct control_command cmd_user_add = {.name = "user",
                                             .verb = "add",
                                             .usage = "--user NAME --roles ROLE,ROLE [--party NAME]",
                                             .must_exist = true,
                                             .run = add};
const struct control_command cmd_user_password = {
    .name = "user", .verb = "password", .usage = "--user NAME [--party NAME]", .must_exist = true, .run = new_password};
const struct control_command cmd_user_roles = {.name = "user",
                                               .verb = "roles",
                                               .usage = "--user NAME --roles ROLE,ROLE [--party NAME]",
                                               .must_exist = true,
                                               .run = set_roles};
const struct control_command cmd_user_list = {
    .name = "user", .verb = "list", .usage = "[--party NAME]", .must_exist = true, .run = list};
const struct control_command cmd_user_party_add = {
    .name = "party", .verb = "add", .usage = "--name NAME", .run = party_add};
const struct control_command cmd_user_party_list = {
    .name = "party", .verb = "list", .usage = "", .must_exist = true, .run = party_list};

static const struct control_command *const verbs[] = {&cmd_user_add,  &cmd_user_password,  &cmd_user_roles,
                                                      &cmd_user_list, &cmd_user_party_add, &cmd_user_party_list};

static int run_verb(const char *name, int argc, char **argv) {
    for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verbs[i]->name, name) == 0 && strcmp(verbs[i]->verb, argv[1]) == 0)
            return control_main(verbs[i], argc, argv);
    bool help = argc > 1 && strcmp(argv[1], "--help") == 0;
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verbs[i]->name, name) == 0)
            fprintf(help ? stdout : stderr, "weft %s %s %s [--data DIR]\n", name, verbs[i]->verb, verbs[i]->usage);
    return help ? 0 : 2;
}

int cmd_user(int argc, char **argv) { return run_verb("user", argc, argv); }
int cmd_user_party(int argc, char **argv) { return run_verb("party", argc, argv); }
