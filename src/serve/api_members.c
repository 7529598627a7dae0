/* The people of one's party. */
#include "serve/api_session.h"
#include "serve/serve_state.h"
#include "trust/people.h"
#include "trust/people_link.h"

static Err list_members(struct api_call *call) {
    struct people_user *users;
    size_t n;
    TRY(people_users(call->serve->options.people, call->who.party, call->arena, &users, &n));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < n; i++) {
        jw_object(w);
        jw_kstr(w, "user", users[i].name);
        jw_kstr(w, "name", users[i].name);
        jw_key(w, "roles");
        api_session_write_roles(w, users[i].roles);
        jw_kbool(w, "second_factor", users[i].second_factor);
        jw_kbool(w, "password", users[i].password);
        jw_key(w, "last_seen");
        if (users[i].seen)
            jw_time(w, users[i].seen);
        else
            jw_null(w);
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

static Err change_member(struct api_call *call) {
    struct people *people = call->serve->options.people;
    unsigned roles;
    TRY(api_need_body(call));
    TRY(api_session_read_roles(call, &roles));
    TRY(people_set_roles(people, &call->who, call->who.party, call->segments[0], roles));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_kstr(w, "user", call->segments[0]);
    jw_key(w, "roles");
    api_session_write_roles(w, people_roles(people, call->who.party, call->segments[0]));
    jw_object_end(w);
    return err_none();
}

static Err remove_member(struct api_call *call) {
    return people_remove(call->serve->options.people, &call->who, call->who.party, call->segments[0]);
}

static Err reset_member(struct api_call *call) {
    char code[PEOPLE_SECRET_MAX];
    Nanos until;
    bool factor = call->body && json_get_bool(call->body, "second_factor", false);
    TRY(people_link_reset(call->serve->options.people, &call->who, call->who.party, call->segments[0], factor, code,
                          &until));
    struct jw *w = api_json(call);
    jw_object(w);
    TRY(api_session_write_link(call, "reset", code, until, w));
    jw_object_end(w);
    return err_none();
}

const struct route api_members_routes[] = {
    {HTTP_GET, "/api/v1/members", "listMembers", "people", "People of one's party", ROLE_STAFF, NULL, NULL,
     "MemberList", 0, 0, 0, list_members},
    {HTTP_PATCH, "/api/v1/members/{user}", "changeMember", "people", "Other roles; what is taken away ends at once",
     ROLE_STAFF, NULL, "MemberChange", "Member", 0, 0, 0, change_member},
    {HTTP_DELETE, "/api/v1/members/{user}", "removeMember", "people",
     "End a membership with its sessions and tokens; the person stays", ROLE_STAFF, NULL, NULL, NULL, 204, 0, 0,
     remove_member},
    {HTTP_POST, "/api/v1/members/{user}/reset", "resetMember", "people",
     "A link for a new password, good once for a day; with second_factor that goes too", ROLE_STAFF, NULL,
     "ResetOptions", "Link", 201, 0, 0, reset_member},
    {.handler = NULL},
};
