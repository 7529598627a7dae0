#include "document/doc_value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "document/doc_geometry.h"
#include "model/ident.h"
#include "model/unit.h"

#define DECIMAL_SCALE_MAX 18
#define SHOWN_MAX 40 /* bytes of an outside text shown in a fault */

static const struct {
    const char *name, *wanted;
    enum value_kind kept;
} kinds[] = {
    [FIELD_TEXT] = {"text", "text", VALUE_STRING},
    [FIELD_INT] = {"int", "a whole number", VALUE_INT},
    [FIELD_NUMBER] = {"number", "a number", VALUE_FLOAT},
    [FIELD_DECIMAL] = {"decimal", "a decimal as a string", VALUE_INT},
    [FIELD_BOOL] = {"bool", "true or false", VALUE_BOOL},
    [FIELD_TIME] = {"time", "a time such as \"2026-01-02T03:04:05Z\"", VALUE_INT},
    [FIELD_CHOICE] = {"choice", "one of its choices", VALUE_STRING},
    [FIELD_REF] = {"ref", "an id or a number", VALUE_INT},
    [FIELD_THING] = {"thing", "a thing's name", VALUE_STRING},
    [FIELD_JSON] = {"json", "JSON", VALUE_STRING},
    [FIELD_MONEY] = {"money", "money such as {\"amount\":\"12.50\",\"currency\":\"CNY\"}", VALUE_INT},
    [FIELD_DATE] = {"date", "a date such as \"2026-03-08\"", VALUE_INT},
    [FIELD_PARTY] = {"party", "a party's name or identifier", VALUE_INT},
    [FIELD_FILE] = {"file", "the id of an attachment", VALUE_INT},
    [FIELD_GEOMETRY] = {"geometry", "a GeoJSON geometry", VALUE_STRING},
    [FIELD_LINES] = {"lines", "a list of objects", VALUE_NONE},
};

static const char *const json_names[] = {
    [JSON_NULL] = "null",     [JSON_BOOL] = "true or false", [JSON_INT] = "a number",     [JSON_REAL] = "a number",
    [JSON_STRING] = "a text", [JSON_ARRAY] = "a list",       [JSON_OBJECT] = "an object",
};

const char *doc_value_kind_name(enum field_kind kind) { return kinds[kind].name; }

/* The start of an outside text, without control characters and broken characters. */
static const char *shown(Str text, char out[SHOWN_MAX + 4]) {
    size_t n = text.len < SHOWN_MAX ? text.len : SHOWN_MAX;
    while (n > 0 && n < text.len && ((unsigned char)text.ptr[n] & 0xc0) == 0x80) n--;
    for (size_t i = 0; i < n; i++) out[i] = (unsigned char)text.ptr[i] < ' ' ? '?' : text.ptr[i];
    memcpy(out + n, n < text.len ? "…" : "", n < text.len ? 4 : 1);
    return out;
}

static void list_choices(const struct field *field, char *out, size_t size) {
    size_t len = 0;
    out[0] = 0;
    for (const struct choice *c = field->choices; c->name && len < size; c++) {
        int n = snprintf(out + len, size - len, "%s%s", len ? ", " : "", c->name);
        if (n > 0) len += (size_t)n;
    }
}

static void take_choice(const struct field *field, Str text, Value *out, struct doc_faults *faults) {
    char choices[120], start[SHOWN_MAX + 4];
    for (const struct choice *c = field->choices; c->name; c++) {
        if (!str_eq_c(text, c->name)) continue;
        *out = VALUE_S(str_c(c->name));
        return;
    }
    list_choices(field, choices, sizeof choices);
    doc_faults_add(faults, ERR_INVALID, field->name, "no choice '%s': use %s", shown(text, start), choices);
}

static bool check_format(const struct field *field, Str text, struct doc_faults *faults) {
    const struct ident *ident = field->format ? ident_find(str_c(field->format)) : NULL;
    if (!ident) return true;
    Err err = ident->check(text);
    if (err.code != ERR_NONE) doc_faults_add(faults, ERR_INVALID, field->name, "%.140s", err.text);
    return err.code == ERR_NONE;
}

static void take_text(const struct field *field, Str text, struct arena *arena, Value *out, struct doc_faults *faults) {
    if (text.len > DOC_VALUE_TEXT_MAX)
        doc_faults_add(faults, ERR_INVALID, field->name, "longer than %d bytes", DOC_VALUE_TEXT_MAX);
    else if (field->kind == FIELD_THING && text.len == 0)
        doc_faults_add(faults, ERR_INVALID, field->name, "a thing's name is not empty");
    else if (check_format(field, text, faults))
        *out = VALUE_S(arena_str(arena, text));
}

static void take_time(const struct field *field, Str text, Value *out, struct doc_faults *faults) {
    char start[SHOWN_MAX + 4];
    Nanos t;
    if (time_parse(text, &t).code == ERR_NONE)
        *out = VALUE_I(t);
    else
        doc_faults_add(faults, ERR_INVALID, field->name, "'%s' is not %s", shown(text, start),
                       kinds[FIELD_TIME].wanted);
}

static void take_decimal(const struct field *field, Str text, Value *out, struct doc_faults *faults) {
    char start[SHOWN_MAX + 4];
    int64_t v;
    if (num_parse_decimal(text, field->scale, &v))
        *out = VALUE_I(v);
    else
        doc_faults_add(faults, ERR_INVALID, field->name, "'%s' is no decimal with at most %u digits behind the point",
                       shown(text, start), field->scale);
}

static void refuse(const struct field *field, const struct json *json, struct doc_faults *faults) {
    doc_faults_add(faults, ERR_INVALID, field->name, "%s wanted, not %s", kinds[field->kind].wanted,
                   json_names[json_kind(json)]);
}

/* A decimal given as a JSON number has already been through a float: show how to write it. */
static void refuse_number(const struct field *field, const struct json *json, struct doc_faults *faults) {
    char text[NUM_TEXT_MAX];
    Str number;
    if (json_kind(json) == JSON_INT)
        number = num_format_decimal(json_int(json), 0, text);
    else
        number = num_format(json_num(json), text);
    doc_faults_add(faults, ERR_INVALID, field->name, "a decimal travels as a string: write \"" STR_FMT "\"",
                   STR_ARG(number));
}

/* ---- decimals */

static size_t digits_behind(Str text) {
    ptrdiff_t point = str_find(text, STR("."));
    return point < 0 ? 0 : text.len - (size_t)point - 1;
}

/* Down to the field's scale, when no digit is lost. */
static bool rescale(int64_t v, unsigned from, unsigned to, int64_t *out) {
    for (; from > to; from--) {
        if (v % 10 != 0) return false;
        v /= 10;
    }
    *out = v;
    return true;
}

/* {"value":"1.5","unit":"TNE"}: exact at the finer of both scales, then brought to the field's. */
static void take_quantity(const struct field *field, Str text, Str code, Value *out, struct doc_faults *faults) {
    char start[SHOWN_MAX + 4];
    const struct unit *from = unit_find(code), *to = field->unit ? unit_find(str_c(field->unit)) : NULL;
    int64_t v;
    if (!from || !to) {
        doc_faults_add(faults, ERR_INVALID, field->name, from ? "it has no unit: give the bare value" : "no unit '%s'",
                       shown(code, start));
        return;
    }
    unsigned scale = digits_behind(text) > field->scale ? (unsigned)digits_behind(text) : field->scale;
    if (scale > DECIMAL_SCALE_MAX || !num_parse_decimal(text, scale, &v)) {
        doc_faults_add(faults, ERR_INVALID, field->name, "'%s' is no decimal", shown(text, start));
        return;
    }
    Err err = unit_convert(v, (unsigned char)scale, from, to, &v);
    if (err.code != ERR_NONE)
        doc_faults_add(faults, ERR_INVALID, field->name, "%.140s", err.text);
    else if (!rescale(v, scale, field->scale, &v))
        doc_faults_add(faults, ERR_INVALID, field->name, "'%s' %s in %s needs more than %u digits behind the point",
                       shown(text, start), from->code, to->code, field->scale);
    else
        *out = VALUE_I(v);
}

static void take_decimal_json(const struct field *field, const struct json *json, Value *out,
                              struct doc_faults *faults) {
    const struct json *value = json_kind(json) == JSON_OBJECT ? json_get(json, "value") : json;
    if (!value)
        doc_faults_add(faults, ERR_INVALID, field->name, "an amount is {\"value\":\"1.5\",\"unit\":\"KGM\"}");
    else if (json_kind(value) == JSON_INT || json_kind(value) == JSON_REAL)
        refuse_number(field, value, faults);
    else if (json_kind(value) != JSON_STRING)
        refuse(field, value, faults);
    else if (json_kind(json) == JSON_OBJECT && json_get(json, "unit"))
        take_quantity(field, json_str(value), json_get_str(json, "unit", (Str){0}), out, faults);
    else
        take_decimal(field, json_str(value), out, faults);
}

/* The amount; what the currency is, says doc_value_currency. */
static void take_money_json(const struct field *field, const struct json *json, Value *out, struct doc_faults *faults) {
    const struct json *amount = json_kind(json) == JSON_OBJECT ? json_get(json, "amount") : json;
    if (!amount)
        refuse(field, json, faults);
    else if (json_kind(amount) == JSON_INT || json_kind(amount) == JSON_REAL)
        refuse_number(field, amount, faults);
    else if (json_kind(amount) == JSON_STRING)
        take_decimal(field, json_str(amount), out, faults);
    else
        refuse(field, amount, faults);
}

/* ISO 4217, the currencies in use. */
static const char currencies[] =
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF "
    "CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG "
    "HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA "
    "MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD "
    "RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX "
    "USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG ";

bool doc_value_is_currency(Str code) {
    char word[5] = "    ";
    if (code.len != 3 || memchr(code.ptr, ' ', 3)) return false;
    memcpy(word, code.ptr, 3);
    for (const char *at = strstr(currencies, word); at; at = strstr(at + 1, word))
        if ((at - currencies) % 4 == 0) return true;
    return false;
}

void doc_value_currency(const struct field *field, const struct json *json, struct arena *arena, Value *out,
                        struct doc_faults *faults) {
    char start[SHOWN_MAX + 4];
    const struct json *given = json_get(json, "currency");
    Str code = given && json_kind(given) == JSON_STRING ? json_str(given) : (Str){0};
    *out = (Value){.kind = VALUE_NONE};
    if (!given) return;
    if (field->currency && !str_eq_c(code, field->currency))
        doc_faults_add(faults, ERR_INVALID, field->name, "it is in %s, not '%s'", field->currency, shown(code, start));
    else if (!doc_value_is_currency(code))
        doc_faults_add(faults, ERR_INVALID, field->name, "no currency '%s': use a code of ISO 4217 such as CNY",
                       shown(code, start));
    else
        *out = VALUE_S(arena_str(arena, code));
}

/* ---- the other kinds */

static void take_date(const struct field *field, Str text, Value *out, struct doc_faults *faults) {
    char start[SHOWN_MAX + 4];
    Nanos t;
    if (text.len == 10 && text.ptr[4] == '-' && time_parse(text, &t).code == ERR_NONE)
        *out = VALUE_I((t - (t % NANOS_PER_DAY + NANOS_PER_DAY) % NANOS_PER_DAY) / NANOS_PER_DAY);
    else
        doc_faults_add(faults, ERR_INVALID, field->name, "'%s' is not %s", shown(text, start),
                       kinds[FIELD_DATE].wanted);
}

/* By id, or by number (a party: by name) until it has been looked up. */
static void take_ref(const struct field *field, const struct json *json, struct arena *arena, Value *out,
                     struct doc_faults *faults) {
    if (json_kind(json) == JSON_OBJECT) {
        const struct json *id = json_get(json, "id");
        json = id ? id : json_get(json, field->kind == FIELD_PARTY ? "name" : "number");
    }
    if (json && json_kind(json) == JSON_INT)
        *out = VALUE_I(json_int(json));
    else if (json && json_kind(json) == JSON_STRING && field->kind != FIELD_FILE)
        take_text(field, json_str(json), arena, out, faults);
    else
        doc_faults_add(faults, ERR_INVALID, field->name, "%s wanted", kinds[field->kind].wanted);
}

static void take_json(const struct field *field, const struct json *json, struct arena *arena, Value *out,
                      struct doc_faults *faults) {
    struct buf text = {0};
    Err err = field->kind == FIELD_GEOMETRY ? doc_geometry_check(json) : err_none();
    json_dump(json, &text);
    if (err.code != ERR_NONE)
        doc_faults_add(faults, ERR_INVALID, field->name, "%.150s", err.text);
    else
        take_text(field, buf_view(&text), arena, out, faults);
    buf_fini(&text);
}

static void parse_json(const struct field *field, Str text, struct arena *arena, Value *out,
                       struct doc_faults *faults) {
    struct json *json = NULL;
    Err err = json_parse(text, &json);
    if (err.code == ERR_NONE)
        take_json(field, json, arena, out, faults);
    else
        doc_faults_add(faults, ERR_INVALID, field->name, "%.80s", err.text);
    json_free(json);
}

/* ---- from outside */

static void take_number(const struct field *field, const struct json *json, Value *out, struct doc_faults *faults) {
    enum json_kind kind = json_kind(json);
    if (field->kind == FIELD_INT && kind == JSON_INT)
        *out = VALUE_I(json_int(json));
    else if (field->kind == FIELD_NUMBER && (kind == JSON_INT || kind == JSON_REAL))
        *out = VALUE_F(json_num(json));
    else if (field->kind == FIELD_BOOL && kind == JSON_BOOL)
        *out = VALUE_B(json_bool(json));
    else
        refuse(field, json, faults);
}

void doc_value_from_json(const struct field *field, const struct json *json, struct arena *arena, Value *out,
                         struct doc_faults *faults) {
    *out = (Value){.kind = VALUE_NONE};
    if (json_kind(json) == JSON_NULL) return;
    switch (field->kind) {
    case FIELD_GEOMETRY:
    case FIELD_JSON: take_json(field, json, arena, out, faults); return;
    case FIELD_REF:
    case FIELD_PARTY:
    case FIELD_FILE: take_ref(field, json, arena, out, faults); return;
    case FIELD_INT:
    case FIELD_NUMBER:
    case FIELD_BOOL: take_number(field, json, out, faults); return;
    case FIELD_DECIMAL: take_decimal_json(field, json, out, faults); return;
    case FIELD_MONEY: take_money_json(field, json, out, faults); return;
    case FIELD_TEXT:
    case FIELD_THING:
    case FIELD_CHOICE:
    case FIELD_TIME:
    case FIELD_DATE:
        if (json_kind(json) == JSON_STRING)
            doc_value_parse(field, json_str(json), arena, out, faults);
        else
            refuse(field, json, faults);
        return;
    case FIELD_LINES: break;
    }
    refuse(field, json, faults);
}

static void parse_plain(const struct field *field, Str text, Value *out) {
    int64_t i;
    double f;
    if (field->kind == FIELD_BOOL && (str_eq_c(text, "true") || str_eq_c(text, "false")))
        *out = VALUE_B(text.len == 4);
    else if (field->kind == FIELD_NUMBER && str_to_f64(text, &f) && isfinite(f))
        *out = VALUE_F(f);
    else if (field->kind != FIELD_NUMBER && field->kind != FIELD_BOOL && str_to_i64(text, &i))
        *out = VALUE_I(i);
}

void doc_value_parse(const struct field *field, Str text, struct arena *arena, Value *out, struct doc_faults *faults) {
    char start[SHOWN_MAX + 4];
    *out = (Value){.kind = VALUE_NONE};
    switch (field->kind) {
    case FIELD_CHOICE: take_choice(field, text, out, faults); return;
    case FIELD_TIME: take_time(field, text, out, faults); return;
    case FIELD_DATE: take_date(field, text, out, faults); return;
    case FIELD_MONEY:
    case FIELD_DECIMAL: take_decimal(field, text, out, faults); return;
    case FIELD_GEOMETRY: parse_json(field, text, arena, out, faults); return;
    case FIELD_TEXT:
    case FIELD_THING:
    case FIELD_JSON: take_text(field, text, arena, out, faults); return;
    case FIELD_REF:
    case FIELD_PARTY:
        parse_plain(field, text, out);
        if (out->kind == VALUE_NONE && text.len > 0) take_text(field, text, arena, out, faults);
        break;
    case FIELD_INT:
    case FIELD_NUMBER:
    case FIELD_BOOL:
    case FIELD_FILE: parse_plain(field, text, out); break;
    case FIELD_LINES: break;
    }
    if (out->kind == VALUE_NONE)
        doc_faults_add(faults, ERR_INVALID, field->name, "%s wanted, not '%s'", kinds[field->kind].wanted,
                       shown(text, start));
}

/* ---- from code */

static void check_json(const struct field *field, Value v, Value *out, struct doc_faults *faults) {
    struct json *json = NULL;
    Err err = json_parse(v.s, &json);
    if (err.code == ERR_NONE && field->kind == FIELD_GEOMETRY) err = doc_geometry_check(json);
    if (err.code == ERR_NONE)
        *out = v;
    else
        doc_faults_add(faults, ERR_INVALID, field->name, "%.80s", err.text);
    json_free(json);
}

void doc_value_from_code(const struct field *field, Value v, Value *out, struct doc_faults *faults) {
    if (field->kind == FIELD_NUMBER && v.kind == VALUE_INT) v = VALUE_F((double)v.i);
    if (field->kind == FIELD_NUMBER && v.kind == VALUE_FLOAT && !isfinite(v.f)) v = (Value){.kind = VALUE_NONE};
    *out = (Value){.kind = VALUE_NONE};
    if (v.kind == VALUE_NONE) return;
    bool by_name = (field->kind == FIELD_REF || field->kind == FIELD_PARTY) && v.kind == VALUE_STRING;
    if (v.kind != kinds[field->kind].kept && !by_name)
        doc_faults_add(faults, ERR_INVALID, field->name, "%s wanted", kinds[field->kind].wanted);
    else if (field->kind == FIELD_CHOICE)
        take_choice(field, v.s, out, faults);
    else if (field->kind == FIELD_JSON || field->kind == FIELD_GEOMETRY)
        check_json(field, v, out, faults);
    else if (field->kind != FIELD_TEXT || check_format(field, v.s, faults))
        *out = v;
}

/* ---- to outside */

static void ref_json(const struct field *field, Value v, Str label, struct jw *w) {
    jw_object(w);
    jw_kint(w, "id", v.i);
    if (label.len > 0) jw_kstr(w, field->kind == FIELD_PARTY ? "name" : "number", label);
    jw_object_end(w);
}

static void money_json(const struct field *field, Value v, Str currency, struct jw *w) {
    char text[NUM_TEXT_MAX];
    jw_object(w);
    jw_kstr(w, "amount", num_format_decimal(v.i, field->scale, text));
    if (field->currency) currency = str_c(field->currency);
    if (currency.len > 0) jw_kstr(w, "currency", currency);
    jw_object_end(w);
}

static Str date_text(int64_t days, char out[TIME_TEXT_MAX]) {
    if (days > INT64_MAX / NANOS_PER_DAY) days = INT64_MAX / NANOS_PER_DAY;
    if (days < INT64_MIN / NANOS_PER_DAY) days = INT64_MIN / NANOS_PER_DAY;
    return str_slice(time_format(days * NANOS_PER_DAY, out), 0, 10);
}

void doc_value_json(const struct field *field, Value v, Str label, struct jw *w) {
    char text[NUM_TEXT_MAX], time[TIME_TEXT_MAX];
    if (v.kind == VALUE_NONE) {
        jw_null(w);
        return;
    }
    switch (field->kind) {
    case FIELD_FILE:
    case FIELD_INT: jw_int(w, v.i); break;
    case FIELD_NUMBER: jw_num(w, v.f); break;
    case FIELD_DECIMAL: jw_str(w, num_format_decimal(v.i, field->scale, text)); break;
    case FIELD_MONEY: money_json(field, v, label, w); break;
    case FIELD_BOOL: jw_bool(w, v.b); break;
    case FIELD_TIME: jw_time(w, v.i); break;
    case FIELD_DATE: jw_str(w, date_text(v.i, time)); break;
    case FIELD_PARTY:
    case FIELD_REF: ref_json(field, v, label, w); break;
    case FIELD_GEOMETRY:
    case FIELD_JSON: jw_raw(w, v.s); break;
    default: jw_str(w, v.s); break;
    }
}

Str doc_value_text(const struct field *field, Value v, struct arena *arena) {
    char text[NUM_TEXT_MAX], time[TIME_TEXT_MAX];
    switch (v.kind) {
    case VALUE_NONE: return (Str){0};
    case VALUE_STRING: return v.s;
    case VALUE_BOOL: return str_c(v.b ? "true" : "false");
    case VALUE_FLOAT: return arena_str(arena, num_format(v.f, text));
    case VALUE_INT: break;
    }
    if (field->kind == FIELD_TIME) return arena_str(arena, time_format(v.i, time));
    if (field->kind == FIELD_DATE) return arena_str(arena, date_text(v.i, time));
    bool exact = field->kind == FIELD_DECIMAL || field->kind == FIELD_MONEY;
    return arena_str(arena, num_format_decimal(v.i, exact ? field->scale : 0, text));
}

bool doc_value_same(Value a, Value b) {
    if (a.kind != b.kind) return false;
    return a.kind == VALUE_NONE || value_eq(a, b);
}
