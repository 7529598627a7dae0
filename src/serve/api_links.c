/* Links that open something: invitations and new passwords, and workers' sessions. */
#include "document/documents.h"
#include "serve/api_session.h"
#include "serve/serve_state.h"
#include "trust/people.h"
#include "trust/people_link.h"

enum { DAYS_DEFAULT = 7, MINUTES_DEFAULT = 480, MINUTES_A_DAY = 24 * 60 };

static Err add_invitation(struct api_call *call) {
    struct people_link_options link = {0};
    char code[PEOPLE_SECRET_MAX];
    Nanos until;
    TRY(api_need_body(call));
    TRY(api_session_read_roles(call, &link.roles));
    TRY(api_text(call, "name", "", &link.name));
    int64_t days = json_get_int(call->body, "days", DAYS_DEFAULT);
    if (days < 1 || days > 30) return err_make(ERR_INVALID, "'days' is 1 to 30");
    link.minutes = days * MINUTES_A_DAY;
    TRY(people_link_invite(call->serve->options.people, &call->who, call->who.party, &link, code, &until));
    struct jw *w = api_json(call);
    jw_object(w);
    TRY(api_session_write_link(call, "join", code, until, w));
    jw_object_end(w);
    return err_none();
}

static Err view_invitation(struct api_call *call) {
    static const char *const kinds[] = {"join", "reset", "worker"};
    struct people_link_view view;
    TRY(people_link_view(call->serve->options.people, call->segments[0], call->arena, &view));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_kc(w, "kind", kinds[view.what]);
    jw_kstr(w, "party", view.party);
    jw_key(w, "roles");
    api_session_write_roles(w, view.roles);
    jw_key(w, "user"); /* who it is for, when that is settled */
    if (view.what == PEOPLE_LINK_VIEW_PASSWORD)
        jw_str(w, view.name);
    else
        jw_null(w);
    jw_key(w, "name");
    if (view.what != PEOPLE_LINK_VIEW_PASSWORD && view.name.len > 0)
        jw_str(w, view.name);
    else
        jw_null(w);
    jw_ktime(w, "expires", view.until);
    jw_object_end(w);
    return err_none();
}

/* The browser acts for whom it is signed in as now, and for nobody else any more. */
static Err signed_in(struct api_call *call, const char *session) {
    Str before = http_cookie(call->request, "weft_session");
    if (before.len > 0) people_session_end(call->serve->options.people, before);
    api_session_set_cookie(call, session);
    return api_session_write(call, str_c(session));
}

static Err accept_invitation(struct api_call *call) {
    struct people_knock knock = {.peer = api_session_peer(call)};
    char session[PEOPLE_SECRET_MAX];
    TRY(api_need_body(call));
    TRY(api_text(call, "user", "", &knock.name));
    TRY(api_text(call, "password", NULL, &knock.password));
    TRY(api_text(call, "code", "", &knock.code));
    TRY(people_link_accept(call->serve->options.people, call->segments[0], &knock, &call->who, session));
    return signed_in(call, session);
}

/* ---- workers */

/* What a worker's page needs beside the documents themselves. */
static const char worker_scopes[] = "status:read things:read models:read views:read live:read";

static Err read_docs(const struct api_call *call, Str *scopes) {
    const struct json *list = json_get(call->body, "docs");
    *scopes = str_c(worker_scopes);
    if (!list || json_kind(list) != JSON_ARRAY || json_len(list) == 0)
        return err_make(ERR_INVALID, "'docs' is missing: the document types the link is for, at least one");
    for (size_t i = 0; i < json_len(list); i++) {
        const struct json *v = json_at(list, i);
        const struct doctype *type =
            json_kind(v) == JSON_STRING ? documents_type(call->serve->options.documents, json_str(v)) : NULL;
        if (!type)
            return err_make(ERR_INVALID, "'docs' holds something that is no document type: see GET /api/v1/docs");
        *scopes = arena_printf(call->arena, "docs:%s:* " STR_FMT, type->name, STR_ARG(*scopes));
    }
    return err_none();
}

static Err add_worker_link(struct api_call *call) {
    struct people_link_options link = {0};
    char code[PEOPLE_SECRET_MAX];
    Nanos until;
    TRY(api_need_body(call));
    TRY(api_session_read_roles(call, &link.roles));
    TRY(api_text(call, "label", NULL, &link.name));
    TRY(read_docs(call, &link.scopes));
    link.minutes = json_get_int(call->body, "minutes", MINUTES_DEFAULT);
    TRY(people_link_worker(call->serve->options.people, &call->who, call->who.party, &link, code, &until));
    struct jw *w = api_json(call);
    jw_object(w);
    TRY(api_session_write_link(call, "w", code, until, w));
    jw_object_end(w);
    return err_none();
}

static Err enter(struct api_call *call) {
    char session[PEOPLE_SECRET_MAX];
    TRY(people_link_enter(call->serve->options.people, call->segments[0], &call->who, session));
    return signed_in(call, session);
}

const struct route api_links_routes[] = {
    {HTTP_POST, "/api/v1/invitations", "addInvitation", "people", "A link into one's party, good once", ROLE_STAFF,
     NULL, "InvitationNew", "Link", 201, 0, 0, add_invitation},
    {HTTP_GET, "/api/v1/invitations/{code}", "getInvitation", "people", "What a link is good for", 0, NULL, NULL,
     "Invitation", 0, 0, 0, view_invitation},
    {HTTP_POST, "/api/v1/invitations/{code}", "acceptInvitation", "people",
     "Take it up: a new account, or one's own with its password; or set the new password", 0, NULL, "Acceptance",
     "Session", 0, 0, 0, accept_invitation},
    {HTTP_POST, "/api/v1/worker-links", "addWorkerLink", "people",
     "A link that lets workers fill in some documents for a while, without accounts", ROLE_STAFF, NULL, "WorkerLinkNew",
     "Link", 201, 0, 0, add_worker_link},
    {HTTP_POST, "/api/v1/worker-links/{code}", "enterWorkerLink", "people", "A worker's session", 0, NULL, NULL,
     "Session", 0, 0, 0, enter},
    {.handler = NULL},
};
