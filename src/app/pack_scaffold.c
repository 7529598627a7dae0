#include "app/pack_scaffold.h"

#include <string.h>

#include "model/pack_form.h"
#include "model/pack_schema.h"
#include "os/file.h"

#define EDITOR(section) "# yaml-language-server: $schema=../.schema/" section ".json\n"

/* {name} stands for the pack's. */
static const struct {
    const char *file, *text;
} files[] = {
    {"pack.yaml", "# yaml-language-server: $schema=.schema/pack.json\n"
                  "name: {name}\n"
                  "title: {zh: 新行业, en: A new industry}\n"
                  "version: 0.1.0\n"},
    {"records/{name}_order.yaml",
     EDITOR("records") "{name}_order:\n"
                       "  title: {zh: 订单, en: Order}\n"
                       "  number: \"SO-{yyyy}{mm}-{0000}\"\n"
                       "  fields:\n"
                       "    customer: {title: {zh: 客户, en: Customer}, required: true, reveals: customer}\n"
                       "    due: {title: {zh: 交货日期, en: Due}, kind: date}\n"
                       "    lines:\n"
                       "      title: {zh: 明细, en: Lines}\n"
                       "      kind: lines\n"
                       "      fields:\n"
                       "        product: {title: {zh: 产品, en: Product}, required: true}\n"
                       "        quantity: {title: {zh: 数量, en: Quantity}, kind: decimal, unit: KGM, scale: 3, "
                       "required: true}\n"
                       "        price: {title: {zh: 单价, en: Price}, kind: money, currency: CNY, reveals: price}\n"
                       "      checks: quantity > 0\n"
                       "    total: {title: {zh: 金额, en: Total}, kind: money, currency: CNY, compute: total}\n"
                       "  states:\n"
                       "    draft: {title: {zh: 草稿, en: Draft}}\n"
                       "    confirmed: {title: {zh: 已确认, en: Confirmed}, tone: info}\n"
                       "    delivered: {title: {zh: 已交货, en: Delivered}, final: true}\n"
                       "  transitions:\n"
                       "    confirm: {title: {zh: 确认, en: Confirm}, from: draft, to: confirmed, guard: total > 0}\n"
                       "    deliver: {title: {zh: 交货, en: Deliver}, from: confirmed, to: delivered, by: [staff, "
                       "worker]}\n"},
    {"views/pages.yaml", EDITOR("views") "{name}_orders:\n"
                                         "  title: {zh: 订单看板, en: Orders at a glance}\n"
                                         "  kind: board\n"
                                         "  type: {name}_order\n"
                                         "  group: state\n"},
    {"logic.lua", "-- Small functions that declarations name. A function takes a document and gives one value.\n"
                  "function total(doc)\n"
                  "  local sum = decimal(\"0.00\")\n"
                  "  for _, line in ipairs(doc.lines or {}) do\n"
                  "    if line.quantity and line.price then sum = sum + line.quantity * line.price end\n"
                  "  end\n"
                  "  return sum:round(2)\n"
                  "end\n"},
};

static Str filled(struct arena *arena, const char *text, const char *name) {
    struct buf out = {0};
    for (const char *p = text; *p; p++) {
        if (strncmp(p, "{name}", 6) == 0) {
            buf_c(&out, name);
            p += 5;
        } else {
            buf_byte(&out, (unsigned char)*p);
        }
    }
    Str made = arena_str(arena, buf_view(&out));
    buf_fini(&out);
    return made;
}

static Err write_schema(const char *path, const char *name, struct arena *arena) {
    struct buf text = {0};
    ASSERT(pack_schema_write(name, &text));
    buf_byte(&text, '\n');
    Err err = file_replace(file_disk, arena_printf(arena, "%s/.schema/%s.json", path, name).ptr, buf_view(&text),
                           "pack.schema");
    buf_fini(&text);
    return err;
}

Err pack_scaffold(const char *path, struct arena *arena) {
    static const char *const folders[] = {"records", "views", ".schema"};
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (!pack_form_is_name(str_c(name)) || strlen(name) > 30)
        return err_make(
            ERR_INVALID,
            "'%.60s' cannot be a pack's name: at most 30 lower case letters, digits and '_', a letter first", name);
    if (file_exists(file_disk, path))
        return err_make(ERR_CONFLICT, "there is a '%.120s' already: choose another name", path);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        TRY(file_make_dirs(file_disk, arena_printf(arena, "%s/%s", path, folders[i]).ptr, "pack.new"));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        Str file = filled(arena, files[i].file, name), text = filled(arena, files[i].text, name);
        TRY(file_replace(file_disk, arena_printf(arena, "%s/" STR_FMT, path, STR_ARG(file)).ptr, text, "pack.new"));
    }
    TRY(write_schema(path, "pack", arena));
    for (const struct pack_section *s = pack_form_sections; s->name; s++) TRY(write_schema(path, s->name, arena));
    return err_none();
}
