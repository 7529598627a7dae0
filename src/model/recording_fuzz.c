/* The five files of a recording, one after the other, with the byte 0x1E between them. */
#include "model/recording.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Str files[5] = {{0}}, rest = str_n((const char *)data, size);
    for (size_t i = 0; i < 5; i++) {
        Str head;
        str_cut(rest, 0x1E, &head, &rest);
        files[i] = head;
    }
    struct recording rec;
    Err err = recording_parse(&(struct recording_files){files[0], files[1], files[2], files[3], files[4]}, &rec);
    if (err.code != ERR_NONE) ASSERT(err.text[0] != '\0');
    for (size_t i = 1; i < rec.n_events; i++) {
        ASSERT(rec.events[i].time >= rec.events[i - 1].time);
        ASSERT(rec.events[i].machine < rec.n_machines);
        for (size_t m = 0; rec.events[i].values && m < rec.n_metrics; m++) ASSERT(!isinf(rec.events[i].values[m]));
    }
    recording_close(&rec);
    return 0;
}
