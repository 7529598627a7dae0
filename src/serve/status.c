#include "serve/status.h"

#include "document/things.h"
#include "serve/serve_state.h"
#include "trust/people.h"

static void write_replay(const struct serve_replay *replay, bool *recorded, struct jw *w) {
    struct serve_replay_now now;
    *recorded = replay->read && replay->read(replay->ctx, &now);
    jw_key(w, "replay");
    if (!*recorded) {
        jw_null(w);
        return;
    }
    jw_object(w);
    jw_ktime(w, "from", now.from);
    jw_ktime(w, "to", now.to);
    jw_ktime(w, "at", now.at);
    jw_knum(w, "speed", now.speed);
    jw_kbool(w, "done", now.done);
    jw_object_end(w);
}

Err status_write(struct serve *serve, const struct principal *who, struct arena *arena, struct jw *w) {
    const struct serve_options *o = &serve->options;
    Str party;
    bool recorded;
    TRY(people_party_name(o->people, who->party, arena, &party));
    jw_object(w);
    jw_kc(w, "version", o->version);
    jw_ktime(w, "now", clock_now(o->clock));
    jw_kstr(w, "party", party);
    jw_kint(w, "things", (int64_t)things_count(o->things, who->party));
    jw_kint(w, "uptime_s", (clock_monotonic() - serve->started) / NANOS_PER_S);
    jw_kint(w, "rows_kept", o->rows_kept ? (int64_t)o->rows_kept(o->ctx) : 0);
    write_replay(&o->replay, &recorded, w);
    jw_kc(w, "clock", recorded ? "recording" : "system");
    jw_object_end(w);
    return err_none();
}
