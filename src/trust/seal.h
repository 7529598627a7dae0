/*
 * Sealing: secret fields and attachments, encrypted with a key of the party that owns them (XChaCha20-Poly1305,
 * libsodium). A party's keys live in one file each, DIR/keys/PARTY.key, outside the database and its backups, wrapped
 * by a master key from a file, the environment or a command. Erasing the file erases every secret of the party.
 *
 * A sealed text is base64 of: 1 byte version, 4 bytes key number, 24 bytes nonce, ciphertext and tag. `about` is bound
 * to it (party, table, row, field), so that a sealed text moved elsewhere does not open.
 */
#ifndef TRUST_SEAL_H
#define TRUST_SEAL_H

#include "base/arena.h"
#include "base/err.h"
#include "model/value.h"

struct file_system;
struct seal;

struct seal_options {
    const char *dir;         /* the data folder */
    const char *master_file; /* 32 bytes, raw or as 64 hex digits; NULL … */
    const char *master_env;  /* … or the environment variable that holds them; NULL … */
    const char
        *master_command;    /* … or a command that prints them; all NULL: DIR/master.key, made at the first opening */
    struct file_system *fs; /* of DIR; NULL: the disk */
};
/* ERR_INVALID: not the master key of this folder; ERR_NOT_FOUND: there are keys, but their master key is gone. */
Err seal_open(const struct seal_options *options, struct seal **out);
void seal_close(struct seal *seal); /* wipes the keys from memory */
/* Makes the party's key when it has none. Any thread. */
Err seal_text(struct seal *seal, PartyId party, Str about, Str plain, struct arena *arena, Str *sealed);
/* ERR_NOT_FOUND: the party's key was erased; ERR_CORRUPT: not what was sealed, or not here. */
Err seal_reveal(struct seal *seal, PartyId party, Str about, Str sealed, struct arena *arena, Str *plain);
Err seal_bytes(struct seal *seal, PartyId party, Str about, Str plain, struct arena *arena, Str *sealed); /* raw */
Err seal_bytes_reveal(struct seal *seal, PartyId party, Str about, Str sealed, struct arena *arena, Str *plain);
Err seal_rotate(struct seal *seal, PartyId party); /* new texts use a new key; old ones still open */
/* Another master key: from its return on the old one opens nothing. to->dir and to->fs are not looked at. */
Err seal_rewrap(struct seal *seal, const struct seal_options *to);
Err seal_erase(struct seal *seal, PartyId party); /* for ever; overwritten, unlinked, folder synced */
bool seal_has(struct seal *seal, PartyId party);  /* a key, so that something may be sealed */

#endif
