/*
 * A rule of a pack: when something happened and its conditions hold, its actions are done, in order. Parsed and checked
 * with the pack (model/pack.h), run by act/rules.h.
 */
#ifndef MODEL_RULE_H
#define MODEL_RULE_H

#include "model/doctype.h"

enum rule_when {
    RULE_CHANGE,   /* `what` happened to a document of `type` */
    RULE_ALARM,    /* an alarm rose: RULE_CHANGE of the alarm's type, with its fields */
    RULE_SCHEDULE, /* at every `every`, or daily at `at` in the server's time zone; once for each document of `type`
                      that meets the conditions, or once when type is NULL */
    RULE_EVENT,    /* a document of type "event" with this `what` as its "kind" was entered */
};

enum rule_do { RULE_CREATE, RULE_UPDATE, RULE_STEP, RULE_KERNEL, RULE_COMMAND, RULE_NOTIFY };

/* A value given by an action: text in the field's outside form, in which {field} stands for a field of the document
 * that the rule is about, and {id}, {number}, {now} for what they say. */
struct rule_set {
    const char *field, *text;
};

struct rule_action {
    enum rule_do what;
    const char *type; /* CREATE: document type; UPDATE, STEP: NULL = the document itself, else a reference field's */
    const char
        *target;         /* UPDATE, STEP: the reference field that leads to the document, or NULL: the document itself;
                            COMMAND: the field that holds the thing; NOTIFY: "role:manager" "user:{field}" "channel:NAME" */
    const char *name;    /* STEP: transition; KERNEL: kernel; COMMAND: command; NOTIFY: text in English */
    const char *text_zh; /* NOTIFY */
    const struct rule_set *sets;
    size_t n_sets;
};

struct rule {
    const char *name, *title_en, *title_zh, *pack;
    enum rule_when when;
    const char *type;                   /* document type, or NULL */
    const char *what;                   /* "create" "change" a transition, an event's kind; NULL: every one */
    Nanos every;                        /* RULE_SCHEDULE */
    int at_minute;                      /* minutes after midnight; -1: `every` counts */
    const struct doc_check *conditions; /* transition is NULL in them */
    size_t n_conditions;
    const struct rule_action *actions;
    size_t n_actions;
    const struct script *script; /* for conditions that are functions */
};

#endif
