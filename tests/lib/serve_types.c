#include "tests/lib/serve_types.h"

#define F(field_name, field_kind, class)                                                                               \
    .name = field_name, .title_en = field_name, .title_zh = field_name, .kind = field_kind, .share = class
#define COUNT(table) (sizeof(table) / sizeof *(table))
enum { ACME = 1, OTHER = 2 };

static const struct choice kinds[] = {{"red", "Red", "红"}, {"green", "Green", "绿"}, {"blue", "Blue", "蓝"}, {0}};
static const struct choice grades[] = {{"gold", "Gold", "金"}, {"tin", "Tin", "锡"}, {0}};

static const struct field order_fields[] = {
    {F("title", FIELD_TEXT, SHARE_PARTNERS), .indexed = true},
    {F("note", FIELD_TEXT, SHARE_OWN)},
    {F("code", FIELD_TEXT, SHARE_PUBLIC), .indexed = true},
    {F("quantity", FIELD_DECIMAL, SHARE_PARTNERS), .scale = 2, .unit = "H87", .reveals = REVEALS_OUTPUT},
    {F("price", FIELD_DECIMAL, SHARE_PARTNERS), .scale = 2, .reveals = REVEALS_PRICE},
    {F("kind", FIELD_CHOICE, SHARE_PARTNERS), .choices = kinds, .indexed = true},
    {F("weight", FIELD_NUMBER, SHARE_PARTNERS)},
    {F("urgent", FIELD_BOOL, SHARE_PUBLIC)},
    {F("due", FIELD_TIME, SHARE_PARTNERS)},
    {F("customer", FIELD_REF, SHARE_PARTNERS), .ref = "customer"},
    {F("machine", FIELD_THING, SHARE_PARTNERS)},
    {F("extra", FIELD_JSON, SHARE_PARTNERS)},
    {F("pieces", FIELD_INT, SHARE_PARTNERS)},
    {F("margin", FIELD_INT, SHARE_OWN)},
    {F("x_ours", FIELD_TEXT, SHARE_PARTNERS), .custom_of = ACME},
    {F("x_theirs", FIELD_TEXT, SHARE_PARTNERS), .custom_of = OTHER},
};
static const struct field customer_fields[] = {
    {F("name", FIELD_TEXT, SHARE_PARTNERS)},
    {F("phone", FIELD_TEXT, SHARE_OWN)},
    {F("grade", FIELD_CHOICE, SHARE_PARTNERS), .choices = grades},
};
static const struct field memo_fields[] = {{F("text", FIELD_TEXT, SHARE_PARTNERS)},
                                           {F("mood", FIELD_INT, SHARE_PARTNERS)}};

static const struct field row_fields[] = {
    {F("sku", FIELD_TEXT, SHARE_PARTNERS)},
    {F("cost", FIELD_DECIMAL, SHARE_PARTNERS), .scale = 2},
};
static const struct doctype row = {
    .name = "basket_row", .title_en = "row", .title_zh = "row", .fields = row_fields, .n_fields = COUNT(row_fields)};
static const struct field basket_fields[] = {
    {F("colour", FIELD_CHOICE, SHARE_PARTNERS), .choices = kinds},
    {F("rows", FIELD_LINES, SHARE_PARTNERS), .lines = &row},
};

static const struct doc_state states[] = {{"open", "Open", "打开", false, "info"},
                                          {"closed", "Closed", "关闭", true, "good"}};
static const struct transition steps[] = {{"close", "Close", "关闭", "open", "closed", ROLE_STAFF, NULL, NULL, NULL}};

#define TYPE(type_name, letters, readers)                                                                              \
    static const struct doctype type_name = {.name = #type_name,                                                       \
                                             .title_en = #type_name,                                                   \
                                             .title_zh = #type_name,                                                   \
                                             .prefix = letters,                                                        \
                                             .fields = type_name##_fields,                                             \
                                             .n_fields = COUNT(type_name##_fields),                                    \
                                             .states = states,                                                         \
                                             .n_states = COUNT(states),                                                \
                                             .transitions = steps,                                                     \
                                             .n_transitions = COUNT(steps),                                            \
                                             .read_roles = readers,                                                    \
                                             .create_roles = ROLE_STAFF,                                               \
                                             .change_roles = ROLE_STAFF}
TYPE(order, "OR", ROLE_PEOPLE);
TYPE(customer, "CU", ROLE_PEOPLE);
TYPE(memo, "ME", ROLE_STAFF);

TYPE(basket, "BA", ROLE_PEOPLE);

const struct doctype *const serve_types[] = {&order, &customer, &memo, &basket, NULL};
