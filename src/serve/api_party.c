/* Parties: one's own, the directory, and new ones. */
#include "serve/api_session.h"
#include "serve/serve_state.h"
#include "trust/people.h"
#include "trust/people_link.h"

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000, INVITATION_MINUTES = 7 * 24 * 60 };

static void write_text(struct jw *w, const char *key, Str text) {
    jw_key(w, key);
    if (text.len > 0)
        jw_str(w, text);
    else
        jw_null(w);
}

static void write_public(const struct people_card *card, struct jw *w) {
    jw_kint(w, "id", card->id);
    jw_kstr(w, "name", card->name);
    write_text(w, "title", card->title);
    write_text(w, "uscc", card->uscc);
    write_text(w, "bpn", card->bpn);
    write_text(w, "gln", card->gln);
    write_text(w, "handle", card->handle);
}

static Err get_party(struct api_call *call) {
    struct people_card card;
    TRY(people_party_card(call->serve->options.people, call->who.party, call->arena, &card));
    struct jw *w = api_json(call);
    jw_object(w);
    write_public(&card, w);
    write_text(w, "email", card.email);
    write_text(w, "phone", card.phone);
    write_text(w, "address", card.address);
    jw_kbool(w, "operates", people_operates(call->serve->options.people, card.id));
    jw_key(w, "settings");
    jw_raw(w, card.settings.len > 0 ? card.settings : STR("{\"worker_links\":false}"));
    jw_object_end(w);
    return err_none();
}

static Err change_party(struct api_call *call) {
    TRY(api_need_body(call));
    if (json_get(call->body, "name"))
        return err_make(ERR_INVALID, "a party's name stays: agreements and the audit call it by it; change 'title'");
    TRY(people_party_change(call->serve->options.people, &call->who, call->who.party, call->body));
    return get_party(call);
}

static Err list_parties(struct api_call *call) {
    struct people_card *cards;
    size_t n, limit = (size_t)api_query_int(call, "limit", LIMIT_DEFAULT, 1, LIMIT_MAX);
    TRY(people_party_cards(call->serve->options.people, api_query(call, "q"), limit, call->arena, &cards, &n));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < n; i++) {
        jw_object(w);
        write_public(&cards[i], w);
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

static Err add_party(struct api_call *call) {
    struct people *people = call->serve->options.people;
    struct people_link_options link = {.roles = ROLE_BIT(ROLE_MANAGER), .minutes = INVITATION_MINUTES};
    char code[PEOPLE_SECRET_MAX];
    Str name;
    PartyId id = 0;
    Nanos until;
    TRY(api_need_body(call));
    TRY(api_text(call, "name", NULL, &name));
    TRY(api_text(call, "manager", "", &link.name));
    TRY(people_party_make(people, &call->who, name, call->body, &id));
    TRY(people_link_invite(people, &call->who, id, &link, code, &until));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_kint(w, "id", id);
    jw_kstr(w, "name", name);
    jw_key(w, "invitation");
    jw_object(w);
    TRY(api_session_write_link(call, "join", code, until, w));
    jw_object_end(w);
    jw_object_end(w);
    return err_none();
}

static const struct route_param list_params[] = {
    {"q", ROUTE_TEXT, false, "a part of the name, the title or an identifier"},
    {"limit", ROUTE_INT, false, "parties in the answer; 100, at most 1000"},
    {.name = NULL},
};

const struct route api_party_routes[] = {
    {HTTP_GET, "/api/v1/party", "getParty", "people", "One's own party", ROLE_PEOPLE, NULL, NULL, "OwnParty", 0, 0, 0,
     get_party},
    {HTTP_PATCH, "/api/v1/party", "changeParty", "people", "Change identifiers, contact and settings",
     ROLE_BIT(ROLE_MANAGER), NULL, "PartyChange", "OwnParty", 0, 0, 0, change_party},
    {HTTP_GET, "/api/v1/parties", "listParties", "people", "Every party's name and public identifiers", ROLE_PEOPLE,
     list_params, NULL, "PartyList", 0, 0, 0, list_parties},
    {HTTP_POST, "/api/v1/parties", "addParty", "people", "Make a party, and the invitation of its first manager",
     ROLE_BIT(ROLE_OPERATOR), NULL, "PartyNew", "PartyMade", 201, 0, 0, add_party},
    {.handler = NULL},
};
