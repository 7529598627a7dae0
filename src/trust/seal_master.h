/* The master key of sealing: from a file, the environment or a command; or made in the data folder. */
#ifndef TRUST_SEAL_MASTER_H
#define TRUST_SEAL_MASTER_H

#include "os/file.h"
#include "trust/seal.h"
#include "trust/secret.h"

/* DIR/master.key, when the options name no other place; else NULL. `into` has room for 4096 bytes. */
const char *seal_master_own(const struct seal_options *options, char *into);
/* What becomes of DIR/master.key: it must be there; it is made when absent; it is made anew, whatever stands there (of
 * an interrupted change, perhaps not yet durable). Made means durable. */
enum seal_master_absent { SEAL_MASTER_READ, SEAL_MASTER_MAKE, SEAL_MASTER_RENEW };
Err seal_master_load(const struct seal_options *options, enum seal_master_absent absent, struct secret_key *out);

#endif
