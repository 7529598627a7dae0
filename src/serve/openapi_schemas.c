#include "serve/openapi_schemas.h"

#include <stddef.h>

/* Short forms of what recurs. */
#define OBJECT(members) "{\"type\":\"object\",\"properties\":{" members "}}"
#define STRICT(needed, members) "{\"type\":\"object\",\"required\":[" needed "],\"properties\":{" members "}}"
#define LIST(item) "{\"type\":\"array\",\"items\":" item "}"
#define REF(name) "{\"$ref\":\"#/components/schemas/" name "\"}"
#define TEXT "{\"type\":\"string\"}"
#define INT "{\"type\":\"integer\"}"
#define NUMBER "{\"type\":\"number\"}"
#define NUMBER_OR_NULL "{\"type\":[\"number\",\"null\"]}"
#define TEXT_OR_NULL "{\"type\":[\"string\",\"null\"]}"
#define BOOL "{\"type\":\"boolean\"}"
#define TIME "{\"type\":\"string\",\"format\":\"date-time\"}"
#define TIME_OR_NULL "{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"}"
#define OR_NULL(schema) "{\"anyOf\":[" schema ",{\"type\":\"null\"}]}"
#define ANY "{}"
#define ROLES                                                                                                          \
    LIST("{\"type\":\"string\",\"enum\":[\"operator\",\"manager\",\"technician\",\"worker\",\"viewer\",\"device\"]}")
#define PAGE(item) STRICT("\"items\",\"next\"", "\"items\":" LIST(item) ",\"next\":" TEXT_OR_NULL)
#define ITEMS(item) STRICT("\"items\"", "\"items\":" LIST(item))
#define M(name, schema) "\"" name "\":" schema
#define STATE "{\"type\":\"string\",\"enum\":[\"ok\",\"warning\",\"alarm\",\"offline\"]}"

#define PREDICTION_MARK                                                                                                \
    OBJECT(M("id", INT) "," M("number", TEXT) "," M("component", TEXT_OR_NULL) "," M(                                  \
        "probability", NUMBER_OR_NULL) "," M("expected_by", TIME_OR_NULL))
#define ORDER_MARK OBJECT(M("id", INT) "," M("number", TEXT) "," M("state", TEXT))
#define THING_MEMBERS                                                                                                  \
    M("name", TEXT)                                                                                                    \
    "," M("model", TEXT) "," M("state", STATE) "," M("latitude", NUMBER_OR_NULL) "," M(                                \
        "longitude",                                                                                                   \
        NUMBER_OR_NULL) "," M("last_seen",                                                                             \
                              TIME_OR_NULL) "," M("open_alarms",                                                       \
                                                  INT) "," M("prediction",                                             \
                                                             OR_NULL(PREDICTION_MARK)) "," M("work_order",             \
                                                                                             OR_NULL(ORDER_MARK))
#define CONTRIBUTOR                                                                                                    \
    OBJECT(M("metric", TEXT) "," M("points_lost", NUMBER) "," M("own_z", NUMBER_OR_NULL) "," M(                        \
        "peer_z",                                                                                                      \
        NUMBER_OR_NULL) "," M("value",                                                                                 \
                              NUMBER_OR_NULL) "," M("own_median",                                                      \
                                                    NUMBER_OR_NULL) "," M("peer_median",                               \
                                                                          NUMBER_OR_NULL) "," M("text_en",             \
                                                                                                TEXT) "," M("text_zh", \
                                                                                                            TEXT))
#define COMPONENT                                                                                                      \
    OBJECT(M("name", TEXT) "," M("title_en", TEXT) "," M("title_zh", TEXT) "," M("age_hours", NUMBER_OR_NULL) "," M(   \
        "life_hours", NUMBER_OR_NULL) "," M("wear", NUMBER_OR_NULL) "," M("replaced_at", TIME_OR_NULL))
#define LATEST OBJECT(M("metric", TEXT) "," M("time", TIME) "," M("value", ANY))
#define MODEL_METRIC                                                                                                   \
    OBJECT(M("name", TEXT) "," M("title_en", TEXT) "," M("title_zh", TEXT) "," M("unit", TEXT_OR_NULL) "," M(          \
        "low", NUMBER_OR_NULL) "," M("high", NUMBER_OR_NULL) "," M("component", TEXT_OR_NULL))
#define MODEL_COMPONENT                                                                                                \
    OBJECT(M("name", TEXT) "," M("title_en", TEXT) "," M("title_zh", TEXT) "," M("life_hours", NUMBER_OR_NULL) "," M(  \
        "part", TEXT_OR_NULL) "," M("skill", TEXT_OR_NULL))
#define PROMISE OBJECT(M("kept", INT) "," M("missed", INT))
#define COUNTS_BY_NAME "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"}}"

const struct openapi_schema openapi_schemas[] = {
    {"Problem", STRICT("\"type\",\"title\",\"status\"",
                       M("type", "{\"type\":\"string\",\"format\":\"uri-reference\"}") "," M("title", TEXT) "," M(
                           "status", INT) "," M("detail", TEXT) "," M("instance", TEXT))},
    {"SignIn", STRICT("\"user\",\"password\"", M("user", TEXT) "," M("password", TEXT))},
    {"Session", STRICT("\"user\",\"roles\",\"party\"", M("user", TEXT) "," M("roles", ROLES) "," M("party", TEXT))},
    {"Status",
     STRICT(
         "\"version\",\"now\",\"clock\"",
         M("version", TEXT) "," M("now", TIME) "," M(
             "clock",
             "{\"type\":\"string\",\"enum\":[\"system\",\"recording\"]"
             "}") "," M("party",
                        TEXT) "," M("things",
                                    INT) "," M("uptime_s",
                                               INT) "," M("rows_kept",
                                                          INT) "," M("replay",
                                                                     OR_NULL(
                                                                         OBJECT(M("from", TIME) "," M("to", TIME) "," M(
                                                                             "at", TIME) "," M("speed",
                                                                                               NUMBER) "," M("done",
                                                                                                             BOOL)))))},
    {"ModelList", ITEMS(OBJECT(M("name", TEXT) "," M("title_en", TEXT) "," M("title_zh", TEXT) "," M(
                      "metrics", LIST(MODEL_METRIC)) "," M("components", LIST(MODEL_COMPONENT))))},
    {"Thing", STRICT("\"name\",\"model\",\"state\"", THING_MEMBERS "," M("health", NUMBER_OR_NULL))},
    {"ThingPage", STRICT("\"items\",\"total\",\"next\"",
                         M("items", LIST(REF("Thing"))) "," M("total", INT) "," M("next", TEXT_OR_NULL))},
    {"ThingDetail",
     STRICT("\"name\",\"model\",\"state\"",
            THING_MEMBERS "," M("attributes", "{\"type\":\"object\"}") "," M("commissioned", TIME_OR_NULL) "," M(
                "latest", LIST(LATEST)) "," M("health",
                                              OBJECT(M("index", NUMBER_OR_NULL) "," M(
                                                  "contributors",
                                                  LIST(CONTRIBUTOR)))) "," M("failure",
                                                                             LIST(OBJECT(M("component", TEXT) "," M(
                                                                                 "probability",
                                                                                 NUMBER)))) "," M("components",
                                                                                                  LIST(COMPONENT)))},
    {"ThingChange", OBJECT(M("latitude", NUMBER_OR_NULL) "," M("longitude", NUMBER_OR_NULL) "," M(
                        "attributes", "{\"type\":\"object\"}") "," M("model", TEXT))},
    {"Series", STRICT(
                   "\"thing\",\"metric\",\"points\"",
                   M("thing", TEXT) "," M("metric", TEXT) "," M("unit", TEXT) "," M("from", TIME) "," M("to", TIME) "," M("window_s", "{\"type\":\"number\",\"description\":\"0: single samples\"}") "," M(
                       "cut",
                       BOOL) "," M("points",
                                   "{\"type\":\"array\",\"description\":\"[ms, "
                                   "average, min, max] or [ms, value]\",\"items\":"
                                   "{\"type\":\"array\",\"minItems\":2,\"maxItems\":4}"
                                   "}") "," M("baseline",
                                              OR_NULL(OBJECT(M("own_median", NUMBER_OR_NULL) "," M(
                                                  "own_mad",
                                                  NUMBER_OR_NULL) "," M("peer_median",
                                                                        NUMBER_OR_NULL) "," M("peer_mad",
                                                                                              NUMBER_OR_NULL)))))},
    {"TypeList", ITEMS("{\"type\":\"object\",\"description\":\"a document type: fields, states, transitions\"}")},
    {"Counts", STRICT("\"counts\"", M("counts", LIST(OBJECT(M("key", ANY) "," M("count", INT)))))},
    {"Reference", STRICT("\"id\"", M("id", INT) "," M("number", TEXT))},
    {"Dashboard",
     OBJECT(M("now", TIME) "," M("fleet", COUNTS_BY_NAME) "," M("open_alarms", COUNTS_BY_NAME) "," M("work_orders", COUNTS_BY_NAME) "," M(
         "promises",
         OBJECT(M("arrival", PROMISE) "," M(
             "completion",
             PROMISE))) "," M("predictions",
                              OBJECT(M("open", INT) "," M("confirmed", INT) "," M("expired", INT) "," M("faults", INT) "," M("foreseen", INT) "," M("foreseen_24h", INT) "," M("precision", NUMBER_OR_NULL) "," M("recall", NUMBER_OR_NULL) "," M(
                                  "recall_24h",
                                  NUMBER_OR_NULL))) "," M("backtest",
                                                          OR_NULL(OBJECT(
                                                              M("trained_at", TIME) "," M("models", INT) "," M("things", INT) "," M("failures", INT) "," M(
                                                                  "tested",
                                                                  INT) "," M("foreseen",
                                                                             INT) "," M("foreseen_24h",
                                                                                        INT) "," M("false_alarms",
                                                                                                   INT) "," M("machine_"
                                                                                                              "months",
                                                                                                              NUMBER) "," M("recall",
                                                                                                                            NUMBER_OR_NULL) "," M("recall_24h",
                                                                                                                                                  NUMBER_OR_NULL) "," M("false_alarms_per_machine_month",
                                                                                                                                                                        NUMBER_OR_NULL)))))},
    {"UserList", ITEMS(REF("User"))},
    {"User",
     STRICT("\"name\",\"roles\"", M("id", INT) "," M("name", TEXT) "," M("roles", ROLES) "," M("created", TIME))},
    {"UserNew",
     STRICT("\"name\",\"roles\"",
            M("name", TEXT) "," M("password", "{\"type\":\"string\",\"minLength\":8}") "," M("roles", ROLES))},
    {"TokenNew", STRICT("\"user\",\"role\"", M("user", TEXT) "," M("role", TEXT))},
    {"Token", STRICT("\"token\"", M("token", TEXT) "," M("user", TEXT) "," M("role", TEXT))},
    {"DeviceNew", STRICT("\"name\"", M("name", TEXT) "," M("model", TEXT) "," M("gateway", BOOL))},
    {"Device", STRICT("\"user\",\"password\"",
                      M("user", TEXT) "," M("password", TEXT) "," M("thing", TEXT) "," M("gateway", BOOL))},
    {"DeadLetterPage", PAGE(OBJECT(M("id", INT) "," M("at", TIME) "," M("device", TEXT) "," M("topic", TEXT) "," M(
                           "reason", TEXT) "," M("bytes", INT) "," M("payload", TEXT)))},
    {"AuditPage", PAGE(OBJECT(M("id", INT) "," M("at", TIME) "," M("who", TEXT) "," M("action", TEXT) "," M(
                      "type", TEXT) "," M("target", TEXT) "," M("before", ANY) "," M("after", ANY)))},
    {"KernelList",
     ITEMS(OBJECT(M("name", TEXT) "," M("summary", TEXT) "," M("usage", TEXT) "," M("input", TEXT) "," M(
         "output", TEXT) "," M("options", TEXT_OR_NULL) "," M("min_files", INT) "," M("max_files", INT)))},
    {"KernelFiles", STRICT("\"files\"", M("files", LIST(STRICT("\"text\"", M("name", TEXT) "," M("text", TEXT)))))},
    {"Health",
     STRICT(
         "\"status\"",
         M("status", "{\"type\":\"string\",\"enum\":[\"ok\",\"failing\"]}") "," M("version", TEXT) "," M(
             "started", BOOL) "," M("checks", LIST(OBJECT(M("name", TEXT) "," M("ok", BOOL) "," M("detail", TEXT)))))},
    {.name = NULL},
};
