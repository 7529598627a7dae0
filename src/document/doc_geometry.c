#include "document/doc_geometry.h"

#include <string.h>

#define RING_MIN 4

/* A type is lists of lists of positions: so many deep, the innermost list of at least `min`; rings are closed. */
static const struct shape {
    const char *name;
    unsigned depth;
    size_t min;
    bool rings;
} shapes[] = {
    {"Point", 0, 0, false},           {"MultiPoint", 1, 0, false},    {"LineString", 1, 2, false},
    {"MultiLineString", 2, 2, false}, {"Polygon", 2, RING_MIN, true}, {"MultiPolygon", 3, RING_MIN, true},
};

static Err check_position(const struct json *p, size_t *n) {
    static const struct {
        const char *name;
        double max;
    } axes[] = {{"longitude", 180}, {"latitude", 90}, {"height", 1e7}};
    if (json_kind(p) != JSON_ARRAY || json_len(p) < 2 || json_len(p) > 3)
        return err_make(ERR_INVALID, "a position is [longitude, latitude] or [longitude, latitude, height]");
    for (size_t i = 0; i < json_len(p); i++) {
        const struct json *v = json_at(p, i);
        if (json_kind(v) != JSON_INT && json_kind(v) != JSON_REAL)
            return err_make(ERR_INVALID, "a %s is a number", axes[i].name);
        if (!(json_num(v) >= -axes[i].max && json_num(v) <= axes[i].max))
            return err_make(ERR_INVALID, "%s %g is beyond %g: longitude comes first", axes[i].name, json_num(v),
                            axes[i].max);
    }
    if (++*n <= DOC_GEOMETRY_POSITIONS_MAX) return err_none();
    return err_make(ERR_LIMIT, "more than %d positions: simplify it", DOC_GEOMETRY_POSITIONS_MAX);
}

static bool same_position(const struct json *a, const struct json *b) {
    if (json_len(a) != json_len(b)) return false;
    for (size_t i = 0; i < json_len(a); i++)
        if (json_num(json_at(a, i)) < json_num(json_at(b, i)) || json_num(json_at(a, i)) > json_num(json_at(b, i)))
            return false;
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the type says, three at most */
static Err check_list(const struct shape *shape, unsigned depth, const struct json *list, size_t *n) {
    if (depth == 0) return check_position(list, n);
    if (json_kind(list) != JSON_ARRAY) return err_make(ERR_INVALID, "%s: a list of positions wanted", shape->name);
    size_t len = json_len(list);
    for (size_t i = 0; i < len; i++) TRY(check_list(shape, depth - 1, json_at(list, i), n));
    if (depth > 1) return err_none();
    if (len < shape->min)
        return err_make(ERR_INVALID, "%s: at least %zu positions wanted, not %zu", shape->name, shape->min, len);
    if (!shape->rings || same_position(json_at(list, 0), json_at(list, len - 1))) return err_none();
    return err_make(ERR_INVALID, "%s: a ring ends where it began", shape->name);
}

static Err check_members(const struct json *geometry, const char *content) {
    const struct json *value;
    void *at = NULL;
    Str key;
    while (json_next(geometry, &at, &key, &value))
        if (!str_eq_c(key, "type") && !str_eq_c(key, content) && !str_eq_c(key, "bbox"))
            return err_make(ERR_INVALID, "'%.40s' is no member of a geometry", key.ptr);
    return err_none();
}

static Err check_plain(const struct json *geometry, Str type, size_t *n) {
    const struct json *coordinates = json_get(geometry, "coordinates");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (!str_eq_c(type, shapes[i].name)) continue;
        TRY(check_members(geometry, "coordinates"));
        if (!coordinates) return err_make(ERR_INVALID, "%s: 'coordinates' is missing", shapes[i].name);
        return check_list(&shapes[i], shapes[i].depth, coordinates, n);
    }
    return err_make(ERR_INVALID, "no geometry '" STR_FMT "': Point, LineString, Polygon, Multi… or GeometryCollection",
                    STR_ARG(str_slice(type, 0, 40)));
}

Err doc_geometry_check(const struct json *geometry) {
    size_t n = 0;
    if (json_kind(geometry) != JSON_OBJECT)
        return err_make(ERR_INVALID, "a GeoJSON geometry wanted: {\"type\":\"Point\",\"coordinates\":[116.4,39.9]}");
    Str type = json_get_str(geometry, "type", (Str){0});
    if (!str_eq_c(type, "GeometryCollection")) return check_plain(geometry, type, &n);
    const struct json *parts = json_get(geometry, "geometries");
    TRY(check_members(geometry, "geometries"));
    if (!parts || json_kind(parts) != JSON_ARRAY)
        return err_make(ERR_INVALID, "GeometryCollection: 'geometries' is a list");
    for (size_t i = 0; i < json_len(parts); i++) {
        const struct json *part = json_at(parts, i);
        if (json_kind(part) != JSON_OBJECT) return err_make(ERR_INVALID, "geometries[%zu]: a geometry wanted", i);
        TRY(check_plain(part, json_get_str(part, "type", (Str){0}), &n));
    }
    return err_none();
}
