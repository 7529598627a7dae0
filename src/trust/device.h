/* Device credentials: generated (160 random bits), kept as keyed hashes, looked up from memory on every MQTT or HTTP
 * connect. The key is DIR/secret.key (trust/secret.h). */
#ifndef TRUST_DEVICE_H
#define TRUST_DEVICE_H

#include "base/arena.h"
#include "base/err.h"
#include "model/principal.h"
#include "os/clock.h"

struct devices;
struct records;

Err device_open(struct records *records, const struct clock *clock, struct devices **out);
void device_close(struct devices *devices);

#define DEVICE_SECRET_MAX 64
struct device_identity {
    PartyId party;
    bool gateway;    /* may publish for other things on v1/gateway/telemetry */
    char thing[256]; /* the thing it speaks for */
    char user[80];
};
/* One credential a thing; again for the same thing rotates the password. user_out/password_out are printed once and
 * never again. */
Err device_add(struct devices *devices, const struct principal *by, PartyId party, Str thing, bool gateway,
               char user_out[DEVICE_SECRET_MAX], char password_out[DEVICE_SECRET_MAX]);
Err device_check(struct devices *devices, Str user, Str password,
                 struct device_identity *out); /* ERR_UNAUTHENTICATED; any thread, fast */
Err device_remove(struct devices *devices, const struct principal *by, PartyId party, Str thing);

#endif
