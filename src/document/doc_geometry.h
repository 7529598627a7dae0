/* Geometry as GeoJSON (RFC 7946): a check, in WGS 84 degrees, longitude first. */
#ifndef DOCUMENT_DOC_GEOMETRY_H
#define DOCUMENT_DOC_GEOMETRY_H

#include "base/err.h"
#include "base/json.h"

#define DOC_GEOMETRY_POSITIONS_MAX 10000

/* ERR_INVALID says what is wrong and where; ERR_LIMIT: more positions than that. */
Err doc_geometry_check(const struct json *geometry);

#endif
