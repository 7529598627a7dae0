/* What query_group.c and query_group_give.c share. */
#ifndef INSIGHT_QUERY_GROUP_INNER_H
#define INSIGHT_QUERY_GROUP_INNER_H

#include "insight/query_group.h"

#define BLOCK 256u /* groups */

struct group {
    uint32_t key, things, last_thing;
    Nanos from, to;
};
struct track {
    struct query_agg_track at;
    uint32_t key;
};
struct query_group_giving;
struct query_group {
    struct query_group_options o;
    struct query_eval *eval;
    struct arena texts;
    struct query_agg_room room;
    Value *keys; /* [n_keys × the stage's] */
    size_t n_keys, n_key_values, cap_key_values;
    uint32_t *key_slots; /* 0: free, else the key's number + 1 */
    size_t key_cap;
    struct group *groups;
    size_t n, cap, last; /* last: the one found last */
    uint32_t *slots;
    size_t slot_cap;
    char **blocks;
    size_t n_blocks, cap_blocks;
    struct track *tracks;     /* [n_aggs] */
    uint32_t sequence, thing; /* of the rows that came last */
    size_t counted;
    struct query_vec *columns; /* of what goes out */
    struct query_group_giving *giving;
};
void query_group_give_end(struct query_group_giving *giving);
bool query_group_inner_only(struct query_group *g); /* makes the one group there is without keys and windows */
void *query_group_inner_state(const struct query_group *g, size_t group, unsigned agg);

#endif
