#include "app/cmd_device.h"

#include <math.h>

#include "base/jw.h"
#include "document/things.h"
#include "trust/device.h"

static void print_credentials(struct control_out *out, const char *user, const char *password) {
    struct buf text = {0};
    struct jw w;
    jw_init(&w, &text);
    jw_object(&w);
    jw_kc(&w, "user", user);
    jw_kc(&w, "password", password);
    jw_object_end(&w);
    control_print(out, STR_FMT "\n", STR_ARG(buf_view(&text)));
    buf_fini(&text);
}

static Err create(struct workspace *workspace, int argc, char **argv, struct control_out *out) {
    TRY(control_flags(argc, argv, "name|model|party", "gateway"));
    Str name = control_flag(argc, argv, "name", (Str){0}), model = control_flag(argc, argv, "model", (Str){0});
    if (name.len == 0) return err_make(ERR_INVALID, "--name is missing: name the machine, for instance truck-7");
    if (model.len == 0)
        return err_make(ERR_INVALID, "--model is missing: name a model; a new name makes an open model");
    PartyId party;
    TRY(workspace_party(workspace, control_flag(argc, argv, "party", (Str){0}), true, &party));
    if (!things_model_named(workspace->things, model))
        control_note(out,
                     "note: model '" STR_FMT "' is not declared, so it is an open model: every metric is accepted\n",
                     STR_ARG(model));
    struct principal by = principal_system(party, "command");
    struct thing_row row = {.party = party, .name = name, .model = model, .latitude = NAN, .longitude = NAN};
    TRY(things_put(workspace->things, &by, &row));
    char user[DEVICE_SECRET_MAX], password[DEVICE_SECRET_MAX];
    TRY(device_add(workspace->devices, &by, party, name, control_switch(argc, argv, "gateway"), user, password));
    print_credentials(out, user, password);
    return err_none();
}

const struct control_command cmd_device_create = {
    .name = "device",
    .verb = "create",
    .usage = "--name NAME --model MODEL [--gateway] [--party NAME]",
    .run = create,
};
