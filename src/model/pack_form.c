#include "model/pack_form.h"

#include <string.h>

const char *const pack_form_kinds[] = {"text",   "int",  "number",   "decimal", "bool",  "time",
                                       "choice", "ref",  "thing",    "json",    "money", "date",
                                       "party",  "file", "geometry", "lines",   "place", NULL};
const char *const pack_form_shares[] = {"own", "partners", "public", "secret", NULL};
const char *const pack_form_reveals[] = {"nothing", "person", "customer", "price", "output", NULL};
const char *const pack_form_tones[] = {"neutral", "info", "good", "warning", "critical", NULL};
const char *const pack_form_views[] = {"list", "board", "form", "map", "chart", "calendar", NULL};
const char *const pack_form_roles[] = {"operator", "manager", "technician", "worker", "viewer", "device",
                                       "system",   "staff",   "people",     "nobody", NULL};
const char *const pack_form_resolutions[] = {"raw", "hourly", "index", NULL};
static const char *const value_kinds[] = {"number", "bool", "text", NULL};

#define END                                                                                                            \
    { .name = NULL }

const struct pack_key pack_form_check[] = {
    {"check", PACK_WANT_TEXT, false, NULL, NULL,
     "a comparison: \"quantity > 0\", \"finish >= start\", \"note is set\""},
    {"lua", PACK_WANT_NAME, false, NULL, NULL, "a function of logic.lua that answers true when all is well"},
    {"on", PACK_WANT_NAME, false, NULL, NULL, "only for this transition; else at every write"},
    {"message", PACK_WANT_TITLE, false, NULL, NULL, "what the person reads when it does not hold"},
    END};

const struct pack_key pack_form_field[] = {
    {"kind", PACK_WANT_WORD, false, NULL, pack_form_kinds, "what the field holds; text when left out"},
    {"title", PACK_WANT_TITLE, false, NULL, NULL, "its name to people"},
    {"help", PACK_WANT_TITLE, false, NULL, NULL, "a sentence for whoever fills it in"},
    {"required", PACK_WANT_BOOL, false, NULL, NULL, "must be given"},
    {"unique", PACK_WANT_BOOL, false, NULL, NULL, "no two documents of a party have the same"},
    {"index", PACK_WANT_BOOL, false, NULL, NULL, "quick to filter and sort by"},
    {"computed", PACK_WANT_BOOL, false, NULL, NULL, "set by the system alone"},
    {"compute", PACK_WANT_NAME, false, NULL, NULL, "the function of logic.lua that gives its value"},
    {"default", PACK_WANT_TEXT, false, NULL, NULL, "its value when none is given"},
    {"unit", PACK_WANT_TEXT, false, NULL, NULL,
     "decimal, int, number: a code or symbol of UN/ECE Rec 20, as KGM or kg"},
    {"scale", PACK_WANT_INT, false, NULL, NULL, "decimal, money: digits behind the point, 0 to 9"},
    {"currency", PACK_WANT_TEXT, false, NULL, NULL, "money: ISO 4217 code; each document says its own when left out"},
    {"choices", PACK_WANT_CHOICES, false, NULL, NULL, "choice: what may be chosen"},
    {"to", PACK_WANT_NAME, false, NULL, NULL, "ref: the document type it refers to"},
    {"format", PACK_WANT_TEXT, false, NULL, NULL, "text: uscc, gln, gtin, sscc, bpn, handle, email, phone or url"},
    {"share", PACK_WANT_WORD, false, NULL, pack_form_shares, "who may ever see it; the type's when left out"},
    {"reveals", PACK_WANT_WORD, false, NULL, pack_form_reveals, "what it tells about its owner when shared"},
    {"fields", PACK_WANT_EACH, false, pack_form_field, NULL, "lines: the fields of one line"},
    {"checks", PACK_WANT_CHECKS, false, NULL, NULL, "lines: what must hold in every line"},
    {"was", PACK_WANT_NAME, false, NULL, NULL, "its name in an earlier version: what is kept moves along"},
    END};

static const struct pack_key state_keys[] = {{"title", PACK_WANT_TITLE, false, NULL, NULL, "its name to people"},
                                             {"tone", PACK_WANT_WORD, false, NULL, pack_form_tones, "its colour"},
                                             {"final", PACK_WANT_BOOL, false, NULL, NULL, "nothing follows"},
                                             END};

static const struct pack_key transition_keys[] = {
    {"title", PACK_WANT_TITLE, false, NULL, NULL, "the words on the button"},
    {"from", PACK_WANT_NAMES, false, NULL, NULL, "the states it leaves; every one that is not final when left out"},
    {"to", PACK_WANT_NAME, false, NULL, NULL, "the state it leads to; the same when left out"},
    {"path", PACK_WANT_PAIRS, false, NULL, NULL, "instead of from and to: {from: to, from: to}"},
    {"by", PACK_WANT_ROLES, false, NULL, NULL, "who may; staff when left out"},
    {"needs", PACK_WANT_NAMES, false, NULL, NULL, "fields that must be given with it"},
    {"takes", PACK_WANT_NAMES, false, NULL, NULL, "fields that may be given with it"},
    {"stamps", PACK_WANT_NAME, false, NULL, NULL, "a field of kind time that is set to now"},
    {"guard", PACK_WANT_CHECKS, false, NULL, NULL, "what must hold before"},
    END};

static const struct pack_key record_keys[] = {
    {"title", PACK_WANT_TITLE, false, NULL, NULL, "its name to people"},
    {"help", PACK_WANT_TITLE, false, NULL, NULL, "a sentence about it"},
    {"prefix", PACK_WANT_TEXT, false, NULL, NULL, "numbers run PREFIX-000001"},
    {"number", PACK_WANT_TEXT, false, NULL, NULL, "the pattern of its numbers: \"PO-{yyyy}{mm}-{0000}\""},
    {"label", PACK_WANT_NAME, false, NULL, NULL, "the field that names a document to people"},
    {"share", PACK_WANT_WORD, false, NULL, pack_form_shares, "share class of fields that say none; own when left out"},
    {"immutable", PACK_WANT_BOOL, false, NULL, NULL, "never changed after it was made"},
    {"read", PACK_WANT_ROLES, false, NULL, NULL, "who may read; people when left out"},
    {"create", PACK_WANT_ROLES, false, NULL, NULL, "who may make one; staff when left out"},
    {"change", PACK_WANT_ROLES, false, NULL, NULL, "who may change fields; staff when left out"},
    {"delete", PACK_WANT_ROLES, false, NULL, NULL, "who may delete in the first state; nobody when left out"},
    {"fields", PACK_WANT_EACH, true, pack_form_field, NULL, "what a document holds"},
    {"states", PACK_WANT_EACH, false, state_keys, NULL, "the first is the one it begins in"},
    {"transitions", PACK_WANT_EACH, false, transition_keys, NULL, "the steps between states"},
    {"checks", PACK_WANT_CHECKS, false, NULL, NULL, "what must hold at every write"},
    END};

static const struct pack_key metric_keys[] = {
    {"title", PACK_WANT_TITLE, false, NULL, NULL, "its name to people"},
    {"kind", PACK_WANT_WORD, false, NULL, value_kinds, "number when left out"},
    {"unit", PACK_WANT_TEXT, false, NULL, NULL, "as people read it: V, bar, °C"},
    {"low", PACK_WANT_NUM, false, NULL, NULL, "below it an alarm rises"},
    {"high", PACK_WANT_NUM, false, NULL, NULL, "above it an alarm rises"},
    {"component", PACK_WANT_NAME, false, NULL, NULL, "the component it speaks of"},
    {"keep", PACK_WANT_KEEP, false, NULL, NULL, "how long its samples and roll-ups are kept; as its model's"},
    END};
static const struct pack_key attribute_keys[] = {
    {"title", PACK_WANT_TITLE, false, NULL, NULL, "its name to people"},
    {"kind", PACK_WANT_WORD, false, NULL, value_kinds, "text when left out"},
    {"unit", PACK_WANT_TEXT, false, NULL, NULL, "as people read it"},
    END};
static const struct pack_key command_keys[] = {
    {"title", PACK_WANT_TITLE, false, NULL, NULL, "its name to people"},
    {"by", PACK_WANT_ROLES, false, NULL, NULL, "who may give it; staff when left out"},
    {"takes", PACK_WANT_EACH, false, attribute_keys, NULL, "what is given with it"},
    END};
static const struct pack_key component_keys[] = {
    {"title", PACK_WANT_TITLE, false, NULL, NULL, "its name to people"},
    {"life_hours", PACK_WANT_NUM, false, NULL, NULL, "planned wear life"},
    {"part", PACK_WANT_TEXT, false, NULL, NULL, "number of the part that replaces it"},
    {"skill", PACK_WANT_TEXT, false, NULL, NULL, "the skill a technician needs"},
    END};
static const struct pack_key thing_keys[] = {
    {"title", PACK_WANT_TITLE, false, NULL, NULL, "its name to people"},
    {"metrics", PACK_WANT_TABLE, false, metric_keys, NULL, "what it measures"},
    {"attributes", PACK_WANT_EACH, false, attribute_keys, NULL, "what is known of each one"},
    {"commands", PACK_WANT_EACH, false, command_keys, NULL, "what it can be told"},
    {"components", PACK_WANT_EACH, false, component_keys, NULL, "what wears"},
    {"codes", PACK_WANT_TEXT, false, NULL, NULL, "the metric whose values are fault codes"},
    {"closed", PACK_WANT_BOOL, false, NULL, NULL, "metrics not named here are refused"},
    {"keep", PACK_WANT_KEEP, false, NULL, NULL, "how long samples and roll-ups are kept; as [store] keep says"},
    END};

static const struct pack_key when_keys[] = {
    {"change", PACK_WANT_NAME, false, NULL, NULL, "a document of this type was written"},
    {"alarm", PACK_WANT_BOOL, false, NULL, NULL, "an alarm rose"},
    {"event", PACK_WANT_TEXT, false, NULL, NULL, "an event of this kind was entered"},
    {"what", PACK_WANT_NAME, false, NULL, NULL, "change: only create, change or this transition"},
    {"every", PACK_WANT_TEXT, false, NULL, NULL, "schedule: 15m, 1h, 1d"},
    {"at", PACK_WANT_TEXT, false, NULL, NULL, "schedule: daily, \"06:30\""},
    {"each", PACK_WANT_NAME, false, NULL, NULL, "schedule: once for each document of this type"},
    END};
static const struct pack_key action_keys[] = {
    {"create", PACK_WANT_NAME, false, NULL, NULL, "makes a document of this type"},
    {"change", PACK_WANT_NAME, false, NULL, NULL, "changes the document: self, or the one a reference leads to"},
    {"step", PACK_WANT_NAME, false, NULL, NULL, "makes a transition"},
    {"of", PACK_WANT_NAME, false, NULL, NULL, "step: the reference that leads to the document; itself when left out"},
    {"kernel", PACK_WANT_NAME, false, NULL, NULL, "runs a kernel"},
    {"command", PACK_WANT_NAME, false, NULL, NULL, "commands a thing"},
    {"thing", PACK_WANT_NAME, false, NULL, NULL, "command: the field that holds the thing"},
    {"notify", PACK_WANT_TEXT, false, NULL, NULL, "role:manager, user:{field} or channel:NAME"},
    {"text", PACK_WANT_TITLE, false, NULL, NULL, "notify: what to say; {field} stands for its value"},
    {"set", PACK_WANT_PAIRS, false, NULL, NULL, "fields and their values; {field} stands for its value"},
    END};
static const struct pack_key rule_keys[] = {{"title", PACK_WANT_TITLE, false, NULL, NULL, "its name to people"},
                                            {"when", PACK_WANT_KEYS, true, when_keys, NULL, "what sets it off"},
                                            {"if", PACK_WANT_CHECKS, false, NULL, NULL, "what must hold"},
                                            {"do", PACK_WANT_LIST, true, action_keys, NULL, "what is done, in order"},
                                            END};

static const struct pack_key view_keys[] = {
    {"title", PACK_WANT_TITLE, false, NULL, NULL, "its name to people"},
    {"kind", PACK_WANT_WORD, true, NULL, pack_form_views, "how documents are shown"},
    {"type", PACK_WANT_NAME, true, NULL, NULL, "the document type"},
    {"columns", PACK_WANT_NAMES, false, NULL, NULL, "fields shown, in order"},
    {"group", PACK_WANT_NAME, false, NULL, NULL, "board, chart: grouped by this field or state"},
    {"filter", PACK_WANT_PAIRS, false, NULL, NULL, "field: value; only those"},
    {"sort", PACK_WANT_TEXT, false, NULL, NULL, "a field, with - in front newest or largest first"},
    {"measure", PACK_WANT_TEXT, false, NULL, NULL, "chart: count, or sum:FIELD, avg:FIELD, min:FIELD, max:FIELD"},
    {"date", PACK_WANT_NAME, false, NULL, NULL, "calendar: the field that says when"},
    {"place", PACK_WANT_NAME, false, NULL, NULL, "map: the field that says where"},
    END};

static const struct pack_key series_keys[] = {
    {"model", PACK_WANT_NAME, false, NULL, NULL, "things of this model"},
    {"things", PACK_WANT_NAMES, false, NULL, NULL, "these things"},
    {"metrics", PACK_WANT_NAMES, false, NULL, NULL, "these metrics; every one when left out"},
    {"resolution", PACK_WANT_WORD, false, NULL, pack_form_resolutions, "the finest detail given; hourly when left out"},
    END};
static const struct pack_key agreement_keys[] = {
    {"title", PACK_WANT_TITLE, false, NULL, NULL, "its name to people"},
    {"purpose", PACK_WANT_TITLE, true, NULL, NULL, "what the other side may use it for"},
    {"types", PACK_WANT_GIVES, false, NULL, NULL, "document types and their fields that are given"},
    {"series", PACK_WANT_LIST, false, series_keys, NULL, "series that are given"},
    {"onward", PACK_WANT_BOOL, false, NULL, NULL, "may be handed on"},
    {"min_group", PACK_WANT_INT, false, NULL, NULL, "aggregates over fewer documents are withheld"},
    {"confidentiality", PACK_WANT_TEXT, false, NULL, NULL, "what both sides accept before anything is seen"},
    END};

static const struct pack_key knowledge_keys[] = {
    {"title", PACK_WANT_TITLE, false, NULL, NULL, "the fault, as people call it"},
    {"model", PACK_WANT_NAMES, false, NULL, NULL, "models of things it is about"},
    {"component", PACK_WANT_NAME, false, NULL, NULL, "the component at fault"},
    {"cause", PACK_WANT_TITLE, false, NULL, NULL, "why it happens"},
    {"remedy", PACK_WANT_TITLE, false, NULL, NULL, "what to do"},
    {"part", PACK_WANT_TEXT, false, NULL, NULL, "number of the part needed"},
    {"text", PACK_WANT_TITLE, false, NULL, NULL, "an article"},
    END};

const struct pack_section pack_form_sections[] = {
    {"things", thing_keys, false, "models of things"},
    {"records", record_keys, false, "document types"},
    {"rules", rule_keys, false, "rules"},
    {"views", view_keys, false, "pages of the console"},
    {"agreements", agreement_keys, false, "ready-made agreements"},
    {"knowledge", knowledge_keys, true, "faults by code, causes, remedies; articles"},
    {NULL, NULL, false, NULL},
};

const struct pack_key pack_form_pack[] = {
    {"name", PACK_WANT_NAME, true, NULL, NULL, "its name, and that of its folder"},
    {"title", PACK_WANT_TITLE, true, NULL, NULL, "its name to people"},
    {"version", PACK_WANT_TEXT, true, NULL, NULL, "as 1.0.0; rises with each change"},
    {"needs", PACK_WANT_NAMES, false, NULL, NULL, "packs that this one stands on"},
    {"things", PACK_WANT_EACH, false, thing_keys, NULL, "as files in things/"},
    {"records", PACK_WANT_EACH, false, record_keys, NULL, "as files in records/"},
    {"rules", PACK_WANT_EACH, false, rule_keys, NULL, "as files in rules/"},
    {"views", PACK_WANT_EACH, false, view_keys, NULL, "as files in views/"},
    {"agreements", PACK_WANT_EACH, false, agreement_keys, NULL, "as files in agreements/"},
    {"knowledge", PACK_WANT_TABLE, false, knowledge_keys, NULL, "as files in knowledge/"},
    END};

bool pack_form_is_name(Str text) {
    if (text.len == 0 || text.len > PACK_FORM_NAME_MAX || text.ptr[0] < 'a' || text.ptr[0] > 'z') return false;
    for (size_t i = 0; i < text.len; i++)
        if (!memchr("abcdefghijklmnopqrstuvwxyz0123456789_", text.ptr[i], 37)) return false;
    return true;
}
