/* What the chunk's writer and reader agree on. */
#ifndef STORE_SERIES_CHUNK_FORM_H
#define STORE_SERIES_CHUNK_FORM_H

#include <stddef.h>
#include <stdint.h>

#define SERIES_CHUNK_MAGIC UINT32_C(0x4b484357) /* "WCHK" */

/* A column of numbers begins with one of these; MIXED and WORDS then have a section of bits: which are integers. */
enum series_chunk_numbers { SERIES_CHUNK_INTS, SERIES_CHUNK_FLOATS, SERIES_CHUNK_MIXED, SERIES_CHUNK_WORDS };

#define SERIES_CHUNK_EXACT (INT64_C(1) << 53) /* integers up to here are exact as doubles */

uint64_t series_chunk_checksum(const char *chunk, size_t head_bytes);

#endif
