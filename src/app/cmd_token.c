#include "app/cmd_token.h"

#include "trust/people.h"

static Err create(struct workspace *workspace, int argc, char **argv, struct control_out *out) {
    TRY(control_flags(argc, argv, "user|role|party", ""));
    Str user = control_flag(argc, argv, "user", (Str){0}), role_name = control_flag(argc, argv, "role", (Str){0});
    enum role role;
    if (user.len == 0)
        return err_make(ERR_INVALID, "--user is missing: name the person or program that gets the token");
    if (!principal_role_parse(role_name, &role))
        return err_make(ERR_INVALID,
                        "'" STR_FMT "' is no role: operator, manager, technician, worker, viewer or device",
                        STR_ARG(role_name));
    PartyId party;
    TRY(workspace_party(workspace, control_flag(argc, argv, "party", (Str){0}), true, &party));
    struct principal by = principal_system(party, "command");
    char token[PEOPLE_SECRET_MAX];
    TRY(people_token(workspace->people, &by, party, user, role, token));
    control_print(out, "%s\n", token);
    return err_none();
}

const struct control_command cmd_token_create = {
    .name = "token",
    .verb = "create",
    .usage = "--user NAME --role operator|manager|technician|worker|viewer|device [--party NAME]",
    .run = create,
};
