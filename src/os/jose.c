#include "os/jose.h"

#include "os/plugin.h"

Err jose_verify(Str token, Str keys, struct arena *arena, Str *claims) {
    const void *table = NULL;
    struct buf text = {0};
    *claims = (Str){0};
    TRY(plugin_open("jose", &table));
    Err err = ((const struct jose_plugin *)table)->verify(token, keys, &text);
    *claims = arena_str(arena, buf_view(&text));
    buf_fini(&text);
    return err;
}
