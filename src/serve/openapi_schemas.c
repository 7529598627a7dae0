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

/* docs/series-query.md */
#define SERIES_STAGE                                                                                                   \
    M("where", TEXT)                                                                                                   \
    "," M("window", TEXT) "," M("by", LIST(TEXT)) "," M(                                                               \
        "select",                                                                                                      \
        "{\"type\":\"object\",\"additionalProperties\":{"                                                              \
        "\"type\":\"string\"}}") "," M("having", TEXT) "," M("fill",                                                   \
                                                             ANY) "," M("order",                                       \
                                                                        LIST(TEXT)) "," M("limit",                     \
                                                                                          INT) "," M("limit_by",       \
                                                                                                     LIST(TEXT))

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

#define PARTY OBJECT(M("id", INT) "," M("name", TEXT))
#define ASSENT OR_NULL(OBJECT(M("who", TEXT) "," M("at", TIME)))
#define TERMS_ROW STRICT("\"field\",\"op\",\"value\"", M("field", TEXT) "," M("op", TEXT) "," M("value", TEXT))
#define TERMS_SERIES                                                                                                   \
    STRICT("\"resolution\"", M("things", LIST(TEXT)) "," M("model", TEXT_OR_NULL) "," M("metrics", LIST(TEXT)) "," M(  \
                                 "resolution", "{\"type\":\"string\",\"enum\":[\"raw\",\"hourly\",\"index\"]}"))
#define TERMS_REST                                                                                                     \
    M("from", TIME_OR_NULL)                                                                                            \
    "," M("to", TIME_OR_NULL) "," M("onward", BOOL) "," M("min_group", INT) "," M("confidentiality", TEXT_OR_NULL)
#define AGREEMENT_STATE                                                                                                \
    "{\"type\":\"string\",\"enum\":[\"proposed\",\"negotiating\",\"agreed\",\"active\",\"suspended\",\"ended\"]}"
#define AGREEMENT_REST                                                                                                 \
    M("version", INT)                                                                                                  \
    "," M("proposed_by", PARTY) "," M("agreed", OBJECT(M("owner", ASSENT) "," M("receiver", ASSENT))) "," M(           \
        "confidentiality_accepted",                                                                                    \
        ASSENT) "," M("basis", TEXT) "," M("legal_reference", TEXT_OR_NULL) "," M("dsp", TEXT) "," M("can",            \
                                                                                                     LIST(TEXT))

#define IMPORT_STATE                                                                                                   \
    "{\"type\":\"string\",\"enum\":[\"uploaded\",\"checking\",\"checked\",\"applying\",\"done\",\"failed\"]}"
#define IMPORT_MODE "{\"type\":\"string\",\"enum\":[\"all\",\"skip\"]}"
#define PACK_FAULT                                                                                                     \
    OBJECT(M("file", TEXT) "," M("line", INT) "," M("column", INT) "," M("severity", TEXT) "," M(                      \
        "message", TEXT) "," M("suggestion", TEXT_OR_NULL))
#define PASSWORD "{\"type\":\"string\",\"minLength\":10}"
#define LINK STRICT("\"url\",\"svg\",\"expires\"", M("url", TEXT) "," M("svg", TEXT) "," M("expires", TIME))
#define PARTY_TEXTS                                                                                                    \
    M("title", TEXT_OR_NULL)                                                                                           \
    "," M("uscc", TEXT_OR_NULL) "," M("bpn", TEXT_OR_NULL) "," M("gln", TEXT_OR_NULL) "," M("handle", TEXT_OR_NULL)
#define PARTY_PUBLIC M("id", INT) "," M("name", TEXT) "," PARTY_TEXTS
#define PARTY_OWN                                                                                                      \
    M("email", TEXT_OR_NULL)                                                                                           \
    "," M("phone", TEXT_OR_NULL) "," M("address", TEXT_OR_NULL) "," M(                                                 \
        "settings", OBJECT(M("worker_links", BOOL) "," M("second_factor", ROLES)))

const struct openapi_schema openapi_schemas[] = {
    {"Problem", STRICT("\"type\",\"title\",\"status\"",
                       M("type", "{\"type\":\"string\",\"format\":\"uri-reference\"}") "," M("title", TEXT) "," M(
                           "status", INT) "," M("detail", TEXT) "," M("instance", TEXT))},
    {"SignIn", STRICT("\"user\",\"password\"", M("user", TEXT) "," M("password", TEXT) "," M("code", TEXT))},
    {"PartyChoice", STRICT("\"party\"", M("party", INT))},
    {"PasswordChange", STRICT("\"old\",\"new\"", M("old", TEXT) "," M("new", PASSWORD))},
    {"FactorSecret", STRICT("\"secret\",\"uri\",\"svg\"", M("secret", TEXT) "," M("uri", TEXT) "," M("svg", TEXT))},
    {"Code", STRICT("\"code\"", M("code", TEXT))},
    {"Recovery", STRICT("\"recovery\"", M("recovery", LIST(TEXT)))},
    {"ProviderList", STRICT("\"providers\"", M("providers", LIST(OBJECT(M("name", TEXT) "," M("title", TEXT)))))},
    {"Link", LINK},
    {"PartyList", ITEMS(OBJECT(PARTY_PUBLIC))},
    {"OwnParty", OBJECT(PARTY_PUBLIC "," PARTY_OWN "," M("operates", BOOL))},
    {"PartyChange", OBJECT(PARTY_TEXTS "," PARTY_OWN)},
    {"PartyNew", STRICT("\"name\"", M("name", TEXT) "," M("manager", TEXT) "," PARTY_TEXTS "," PARTY_OWN)},
    {"PartyMade", OBJECT(M("id", INT) "," M("name", TEXT) "," M("invitation", LINK))},
    {"MemberList", ITEMS(REF("Member"))},
    {"Member",
     STRICT("\"user\",\"roles\"", M("user", TEXT) "," M("name", TEXT) "," M("roles", ROLES) "," M(
                                      "second_factor", BOOL) "," M("password", BOOL) "," M("last_seen", TIME_OR_NULL))},
    {"MemberChange", STRICT("\"roles\"", M("roles", ROLES))},
    {"ResetOptions", OBJECT(M("second_factor", BOOL))},
    {"InvitationNew", STRICT("\"roles\"", M("roles", ROLES) "," M("name", TEXT) "," M("days", INT))},
    {"Invitation",
     OBJECT(M("kind", "{\"type\":\"string\",\"enum\":[\"join\",\"reset\",\"worker\"]}") "," M("party", TEXT) "," M(
         "roles", ROLES) "," M("user", TEXT_OR_NULL) "," M("name", TEXT_OR_NULL) "," M("expires", TIME))},
    {"Acceptance", STRICT("\"password\"", M("user", TEXT) "," M("password", PASSWORD) "," M("code", TEXT))},
    {"WorkerLinkNew", STRICT("\"roles\",\"label\",\"docs\"",
                             M("roles", ROLES) "," M("label", TEXT) "," M("docs", LIST(TEXT)) "," M("minutes", INT))},
    {"TokenList", ITEMS(OBJECT(M("id", INT) "," M("user", TEXT) "," M("role", TEXT) "," M("scopes", LIST(TEXT)) "," M(
                      "created", TIME) "," M("expires", TIME_OR_NULL) "," M("last_used", TIME_OR_NULL)))},
    {"Session",
     STRICT("\"user\",\"roles\",\"party\"",
            M("user", TEXT) "," M("name", TEXT) "," M("roles", ROLES) "," M(
                "party",
                OBJECT(M("id", INT) "," M("name", TEXT) "," M(
                    "operates",
                    BOOL))) "," M("parties",
                                  LIST(OBJECT(M("id", INT) "," M("name", TEXT) "," M(
                                      "roles", ROLES)))) "," M("second_factor",
                                                               BOOL) "," M("needs",
                                                                           "{\"type\":[\"string\",\"null\"],\"enum\":"
                                                                           "[\"new_password\",\"second_factor\",null]"
                                                                           "}") "," M("worker",
                                                                                      OR_NULL(
                                                                                          OBJECT(M("label", TEXT) "," M(
                                                                                              "docs", LIST(TEXT))))))},
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
    {"SeriesQuery",
     OBJECT(SERIES_STAGE
            "," M("from", TEXT) "," M("to", TEXT) "," M("zone", TEXT) "," M("things", ANY) "," M("latest", BOOL) "," M(
                "stages", LIST(OBJECT(SERIES_STAGE))) "," M("limits",
                                                            OBJECT(M("rows", INT) "," M("bytes", INT) "," M(
                                                                "time_ms", INT))) "," M("time_format", TEXT))},
    {"SeriesImported", STRICT("\"rows\",\"values\"", M("rows", INT) "," M("values", INT))},
    {"SeriesAnswer",
     STRICT(
         "\"columns\",\"rows\",\"stats\"",
         M("columns", LIST(OBJECT(M("name", TEXT) "," M("kind", TEXT)))) "," M("rows", LIST(LIST(ANY))) "," M(
             "stats", OBJECT(M("things", INT) "," M("rows_read", INT) "," M("rows", INT) "," M("seconds", NUMBER))))},
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
    {"Kept",
     STRICT(
         "\"items\",\"written\"",
         M("written",
           OBJECT(M("flushed_bytes", INT) "," M("merged_bytes", INT) "," M("dropped_files", INT) "," M(
               "dropped_bytes",
               INT) "," M("amplification",
                          NUMBER))) "," M("items",
                                          LIST(OBJECT(M("keep", TEXT) "," M("what", TEXT) "," M("from", TIME) "," M(
                                              "to",
                                              TIME) "," M("dropped_at",
                                                          OR_NULL(
                                                              TIME)) "," M("files",
                                                                           INT) "," M("bytes",
                                                                                      INT) "," M("rows",
                                                                                                 INT) "," M("values",
                                                                                                            INT)))))},
    {"PackList",
     ITEMS(STRICT(
         "\"name\",\"version\"",
         M("name", TEXT) "," M("version", TEXT) "," M("title_en", TEXT) "," M("title_zh", TEXT) "," M("builtin", BOOL) "," M(
             "needs",
             LIST(TEXT)) "," M("types",
                               LIST(TEXT)) "," M("models",
                                                 LIST(TEXT)) "," M("rules",
                                                                   LIST(OBJECT(M("name", TEXT) "," M(
                                                                       "when",
                                                                       TEXT)))) "," M("templates",
                                                                                      LIST(TEXT)) "," M("views",
                                                                                                        LIST(TEXT))))},
    {"ViewList", ITEMS(STRICT("\"name\",\"kind\",\"type\"",
                              M("name", TEXT) "," M("title_en", TEXT) "," M("title_zh", TEXT) "," M("pack", TEXT) "," M(
                                  "kind", TEXT) "," M("type", TEXT) "," M("spec", "{\"type\":\"object\"}")))},
    {"PackFiles",
     STRICT("\"files\"", M("files", LIST(STRICT("\"name\",\"text\"", M("name", TEXT) "," M("text", TEXT)))))},
    {"PackFaults", STRICT("\"faults\"", M("faults", LIST(PACK_FAULT)) "," M(
                                            "summary", OBJECT(M("errors", INT) "," M("warnings", INT))))},
    {"PackPlan",
     STRICT("\"plan\",\"faults\"",
            M("installed", BOOL) "," M(
                "plan", LIST(OBJECT(M("type", TEXT) "," M("action", TEXT) "," M("detail", TEXT) "," M(
                            "refused", BOOL)))) "," M("faults", LIST(PACK_FAULT)) "," M("summary",
                                                                                        OBJECT(M("errors", INT) "," M(
                                                                                            "warnings", INT))))},
    {"FieldNew",
     STRICT(
         "\"name\"",
         M("name", TEXT) "," M("kind", TEXT) "," M("title_en", TEXT) "," M("title_zh", TEXT) "," M("help_en", TEXT) "," M("help_zh", TEXT) "," M(
             "unit",
             TEXT) "," M("scale",
                         INT) "," M("choices",
                                    ANY) "," M("default",
                                               ANY) "," M("currency",
                                                          TEXT) "," M("format",
                                                                      TEXT) "," M("to",
                                                                                  TEXT) "," M("index",
                                                                                              BOOL) "," M("unique",
                                                                                                          BOOL) "," M("share",
                                                                                                                      TEXT) "," M("reveals",
                                                                                                                                  TEXT))},
    {"FieldMade", STRICT("\"name\"", M("name", TEXT))},
    {"TypeList", ITEMS("{\"type\":\"object\",\"description\":\"a document type: fields, states, transitions\"}")},
    {"Counts", STRICT("\"counts\"", M("counts", LIST(OBJECT(M("key", ANY) "," M("count", INT)))))},
    {"Groups", STRICT("\"groups\"", M("groups", LIST(OBJECT(M("keys", LIST(ANY)) "," M("count", INT) "," M(
                                                    "measures", LIST(ANY))))) "," M("withheld", INT))},
    {"Money", STRICT("\"amount\"", M("amount", TEXT) "," M("currency", TEXT))},
    {"Geometry", STRICT("\"type\"", M("type", TEXT) "," M("coordinates", LIST(ANY)) "," M("geometries", LIST(ANY)))},
    {"Party", STRICT("\"id\"", M("id", INT) "," M("name", TEXT))},
    {"Batch",
     STRICT("\"items\"", M("items", LIST(STRICT("\"op\"", M("op", TEXT) "," M("id", INT) "," M("if_version", INT) "," M(
                                                              "doc", ANY)))) "," M("atomic", BOOL))},
    {"BatchResult",
     ITEMS(OBJECT(M("status", INT) "," M("id", INT) "," M("number", TEXT) "," M("error", REF("Problem"))))},
    {"History",
     ITEMS(OBJECT(M("at", TIME) "," M("who", TEXT) "," M("action", TEXT) "," M("before", ANY) "," M("after", ANY)))},
    {"NewComment", STRICT("\"text\"", M("text", TEXT))},
    {"Comment", OBJECT(M("id", INT) "," M("at", TIME) "," M("who", TEXT) "," M("text", TEXT))},
    {"Comments", ITEMS(REF("Comment"))},
    {"Attachment", OBJECT(M("id", INT) "," M("at", TIME) "," M("who", TEXT) "," M("name", TEXT) "," M(
                       "media_type", TEXT) "," M("bytes", INT) "," M("sealed", BOOL) "," M("hash", TEXT))},
    {"Found", PAGE(OBJECT(M("type", TEXT) "," M("id", INT) "," M("number", TEXT) "," M("label", TEXT) "," M(
                  "state", TEXT) "," M("snippet", TEXT)))},
    {"File", "{\"type\":\"string\",\"format\":\"binary\"}"},
    {"Attachments", ITEMS(REF("Attachment"))},
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
    {"UserNew", STRICT("\"name\",\"roles\"", M("name", TEXT) "," M("password", PASSWORD) "," M("roles", ROLES))},
    {"TokenNew",
     STRICT("\"user\",\"role\"", M("user", TEXT) "," M("role", TEXT) "," M("scopes", LIST(TEXT)) "," M("days", INT))},
    {"Token", STRICT("\"token\"", M("id", INT) "," M("token", TEXT) "," M("user", TEXT) "," M("role", TEXT) "," M(
                                      "scopes", LIST(TEXT)) "," M("expires", TIME_OR_NULL))},
    {"DeviceNew", STRICT("\"name\"", M("name", TEXT) "," M("model", TEXT) "," M("gateway", BOOL))},
    {"Device", STRICT("\"user\",\"password\"",
                      M("user", TEXT) "," M("password", TEXT) "," M("thing", TEXT) "," M("gateway", BOOL))},
    {"DeadLetterPage", PAGE(OBJECT(M("id", INT) "," M("at", TIME) "," M("device", TEXT) "," M("topic", TEXT) "," M(
                           "reason", TEXT) "," M("bytes", INT) "," M("payload", TEXT)))},
    {"Terms",
     STRICT("\"purpose\"",
            M("types", LIST(STRICT("\"type\",\"fields\"",
                                   M("type", TEXT) "," M("fields", LIST(TEXT)) "," M("rows", LIST(TERMS_ROW)) "," M(
                                       "aggregates", BOOL)))) "," M("series",
                                                                    LIST(TERMS_SERIES)) "," M("purpose",
                                                                                              TEXT) "," TERMS_REST)},
    {"Agreement",
     STRICT("\"id\",\"number\",\"state\",\"owner\",\"receiver\",\"terms\"",
            M("id", INT) "," M("number", TEXT) "," M("state", AGREEMENT_STATE) "," M("owner", PARTY) "," M(
                "receiver", PARTY) "," M("side", TEXT) "," M("title", TEXT) "," M("terms",
                                                                                  REF("Terms")) "," AGREEMENT_REST)},
    {"AgreementList", ITEMS(REF("Agreement"))},
    {"AgreementNew",
     STRICT("\"title\"", M("owner", ANY) "," M("receiver", ANY) "," M("title", TEXT) "," M("terms", REF("Terms")) "," M(
                             "template", TEXT) "," M("legal_reference", TEXT))},
    {"AgreementStep", OBJECT(M("terms", REF("Terms")) "," M("reason", TEXT) "," M("version", INT))},
    {"AgreementPreview",
     OBJECT(M("types", LIST(ANY)) "," M("series", LIST(ANY)) "," M(
         "warnings",
         LIST(OBJECT(M("severity", TEXT) "," M("text_en", TEXT) "," M("text_zh", TEXT) "," M("fields", LIST(TEXT))))))},
    {"DisclosurePage",
     PAGE(OBJECT(M("id", INT) "," M("at", TIME) "," M("agreement", ANY) "," M("reader", ANY) "," M("type", TEXT) "," M(
         "what", TEXT) "," M("rows", INT) "," M("fields", LIST(TEXT)) "," M("purpose", TEXT) "," M("ledger", ANY)))},
    {"Ledger",
     OBJECT(M("size", INT) "," M("root", TEXT) "," M("origin", TEXT) "," M("key", TEXT) "," M(
         "witness_key", TEXT) "," M("checkpoint_at", TIME) "," M("witnesses",
                                                                 LIST(OBJECT(M("name", TEXT) "," M("key", TEXT) "," M(
                                                                     "signed_at", ANY) "," M("size", INT)))))},
    {"NotificationPage",
     OBJECT(M(
         "items",
         LIST(OBJECT(
             M("id", INT) "," M("at", TIME) "," M("read", BOOL) "," M("text_en", TEXT) "," M("text_zh", TEXT) "," M(
                 "type", TEXT_OR_NULL) "," M("doc", ANY) "," M("rule", TEXT_OR_NULL)))) "," M("unread",
                                                                                              INT) "," M("next", ANY))},
    {"NotificationsRead", STRICT("\"through\"", M("through", INT))},
    {"ChannelList",
     ITEMS(OBJECT(M("id", INT) "," M("name", TEXT) "," M("kind", TEXT) "," M("target", TEXT) "," M(
         "secret", BOOL) "," M("events", LIST(TEXT)) "," M("waiting", INT) "," M("trouble", TEXT_OR_NULL)))},
    {"ChannelNew",
     STRICT("\"name\",\"kind\",\"target\"",
            M("name", TEXT) "," M(
                "kind",
                "{\"type\":\"string\",\"enum\":[\"email\",\"webhook\","
                "\"wecom\",\"dingtalk\",\"feishu\"]}") "," M("target", TEXT) "," M("secret", TEXT) "," M("events",
                                                                                                         LIST(TEXT)))},
    {"ChannelChange", OBJECT(M("name", TEXT) "," M("kind", TEXT) "," M("target", TEXT) "," M("secret", TEXT) "," M(
                          "events", LIST(TEXT)))},
    {"ChannelMade", OBJECT(M("id", INT))},
    {"ChannelTest", OBJECT(M("ok", BOOL) "," M("detail", TEXT))},
    {"RuleList",
     ITEMS(OBJECT(
         M("name", TEXT) "," M("title_en", TEXT) "," M("title_zh", TEXT) "," M("pack", TEXT) "," M("when", TEXT) "," M(
             "type",
             TEXT_OR_NULL) "," M("what",
                                 TEXT_OR_NULL) "," M("enabled",
                                                     BOOL) "," M("runs",
                                                                 INT) "," M("failures",
                                                                            INT) "," M("last",
                                                                                       ANY) "," M("error",
                                                                                                  TEXT_OR_NULL)))},
    {"RuleSwitch", STRICT("\"enabled\"", M("enabled", BOOL))},
    {"LedgerProof", OBJECT(M("from", INT) "," M("to", INT) "," M("path", LIST(TEXT)))},
    {"LedgerReceipt", OBJECT(M("weft", TEXT) "," M("text", TEXT) "," M("salt", TEXT) "," M("index", INT) "," M(
                          "size", INT) "," M("path", LIST(TEXT)) "," M("checkpoint", TEXT))},
    {"AuditPage", PAGE(OBJECT(M("id", INT) "," M("at", TIME) "," M("who", TEXT) "," M("action", TEXT) "," M(
                      "type", TEXT) "," M("target", TEXT) "," M("before", ANY) "," M("after", ANY)))},
    {"SqlOrder", STRICT("\"sql\"", M("sql", TEXT) "," M("params", ANY) "," M("limit", INT) "," M("time_s", INT) "," M(
                                       "explain", BOOL) "," M("format", TEXT))},
    {"SqlAnswer",
     OBJECT(M("columns", LIST(OBJECT(M("name", TEXT) "," M("type", TEXT) "," M("scale", INT)))) "," M(
         "rows", LIST(LIST(ANY))) "," M("n", INT) "," M("cut", BOOL) "," M("rows_read",
                                                                           INT) "," M("seconds",
                                                                                      NUMBER) "," M("plan",
                                                                                                    LIST(TEXT)))},
    {"SqlTables",
     ITEMS(STRICT(
         "\"name\",\"columns\"",
         M("name", TEXT) "," M("title_en", TEXT) "," M("title_zh", TEXT) "," M("about_en", TEXT) "," M(
             "about_zh",
             TEXT) "," M("columns",
                         LIST(OBJECT(M("name", TEXT) "," M("type", TEXT) "," M("title_en", TEXT) "," M(
                             "title_zh", TEXT) "," M("unit", TEXT) "," M("refers", TEXT) "," M("input", BOOL))))))},
    {"KernelList",
     ITEMS(OBJECT(M("name", TEXT) "," M("summary", TEXT) "," M("usage", TEXT) "," M("input", TEXT) "," M(
         "output", TEXT) "," M("options", TEXT_OR_NULL) "," M("min_files", INT) "," M("max_files", INT)))},
    {"KernelFiles", STRICT("\"files\"", M("files", LIST(STRICT("\"text\"", M("name", TEXT) "," M("text", TEXT)))))},
    {"Import",
     STRICT("\"id\",\"type\",\"state\"", M("id", TEXT) "," M("type", TEXT) "," M("name", TEXT) "," M("form", TEXT) "," M("state", IMPORT_STATE) "," M("mode", IMPORT_MODE) "," M("offset", TEXT) "," M("rows",
                                                                                                                                                                                                       INT) "," M("checked", INT) "," M("good",
                                                                                                                                                                                                                                        INT) "," M("bad", INT) "," M("applied", INT) "," M("who", TEXT) "," M("created", ANY) "," M("started",
                                                                                                                                                                                                                                                                                                                                    ANY) "," M("finished", ANY) "," M("batch",
                                                                                                                                                                                                                                                                                                                                                                      ANY) "," M("failure", TEXT_OR_NULL) "," M("columns",
                                                                                                                                                                                                                                                                                                                                                                                                                LIST(
                                                                                                                                                                                                                                                                                                                                                                                                                    OBJECT(M("name", TEXT) "," M(
                                                                                                                                                                                                                                                                                                                                                                                                                        "samples", LIST(
                                                                                                                                                                                                                                                                                                                                                                                                                                       TEXT)) "," M("field",
                                                                                                                                                                                                                                                                                                                                                                                                                                                    TEXT_OR_NULL)))) "," M("fields",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                           LIST(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                               OBJECT(M("name", TEXT) "," M("title_en", TEXT_OR_NULL) "," M("title_zh", TEXT_OR_NULL) "," M(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                   "kind",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                   TEXT) "," M("required",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                               BOOL)))))},
    {"ImportList", ITEMS(REF("Import"))},
    {"ImportOrder", OBJECT(M("mapping", "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}") "," M(
                        "mode", IMPORT_MODE) "," M("offset", TEXT) "," M("start", BOOL))},
    {"ImportFaults",
     OBJECT(M("items", LIST(OBJECT(M("row", INT) "," M("column", TEXT) "," M("field", TEXT) "," M("value", TEXT) "," M(
                           "message", TEXT) "," M("suggestion", TEXT)))) "," M("next", TEXT_OR_NULL))},
    {"Health",
     STRICT(
         "\"status\"",
         M("status", "{\"type\":\"string\",\"enum\":[\"ok\",\"failing\"]}") "," M("version", TEXT) "," M(
             "started", BOOL) "," M("checks", LIST(OBJECT(M("name", TEXT) "," M("ok", BOOL) "," M("detail", TEXT)))))},
    {.name = NULL},
};
