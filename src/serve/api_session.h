/* What the handlers of people share: sessions, roles and the links that people get. */
#ifndef SERVE_API_SESSION_H
#define SERVE_API_SESSION_H

#include "serve/api.h"

/* The secret of the cookie session: ERR_FORBIDDEN with a token, which is no person. */
Err api_session_secret(const struct api_call *call, Str *out);
/* Who asks, from where, for the limits of wrong passwords. */
Str api_session_peer(const struct api_call *call);
/* "roles":[…] under the key that is open. */
void api_session_write_roles(struct jw *w, unsigned roles);
/* The list of roles in the body; ERR_INVALID: missing, empty, or something that is none. */
Err api_session_read_roles(const struct api_call *call, unsigned *out);
/* Members url, svg and expires of a link that people get: "#/join/CODE" at the server's public address. */
Err api_session_write_link(struct api_call *call, const char *page, const char *code, Nanos until, struct jw *w);
/* Sets or clears the cookie of the session. */
void api_session_set_cookie(struct api_call *call, const char *session);
/* What GET /api/v1/session answers, of call->who with this secret. */
Err api_session_write(struct api_call *call, Str session);

#endif
