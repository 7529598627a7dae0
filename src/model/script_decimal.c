/*
 * A decimal is a userdata of unscaled value and scale. Sums take the larger scale, products the sum of both; zeros at
 * the end are dropped, so that equal numbers look equal. What cannot be exact is an error, never a rounding nobody
 * asked for: quotients say their scale, a:div(b, 2), and round half to even.
 */
#include "model/script_decimal.h"

#include <lauxlib.h>
#include <lua.h>
#include <string.h>

#define TYPE_NAME "decimal"
enum { SCALE_MAX = 18, DIGITS_MAX = 36, TEXT_MAX = 48 };

__extension__ typedef __int128 Wide;
typedef struct Decimal {
    Wide unscaled;
    int scale;
} Decimal;

static Wide power10(int n) {
    Wide p = 1;
    while (n-- > 0) p *= 10;
    return p;
}

static Wide magnitude(Wide v) { return v < 0 ? -v : v; }

static void push(lua_State *L, Wide unscaled, int scale) {
    while (scale > 0 && unscaled % 10 == 0) unscaled /= 10, scale--;
    if (scale > SCALE_MAX) luaL_error(L, "more than %d digits behind the point: use :round or :div first", SCALE_MAX);
    if (magnitude(unscaled) >= power10(DIGITS_MAX)) luaL_error(L, "decimal too large: more than %d digits", DIGITS_MAX);
    Decimal *d = lua_newuserdatauv(L, sizeof *d, 0);
    *d = (Decimal){unscaled, scale};
    luaL_setmetatable(L, TYPE_NAME);
}

/* ---- text */

static bool parse(const char *text, size_t len, Decimal *out) {
    size_t i = 0, digits = 0;
    bool minus = len > 0 && text[0] == '-', point = false;
    *out = (Decimal){0};
    for (i = minus ? 1 : 0; i < len; i++) {
        if (text[i] == '.' && !point && digits > 0 && i + 1 < len) {
            point = true;
            continue;
        }
        if (text[i] < '0' || text[i] > '9' || ++digits > DIGITS_MAX) return false;
        out->unscaled = out->unscaled * 10 + (text[i] - '0');
        if (point) out->scale++;
    }
    if (minus) out->unscaled = -out->unscaled;
    return digits > 0 && out->scale <= SCALE_MAX;
}

static const char *format(const Decimal *d, char out[TEXT_MAX]) {
    char *at = out + TEXT_MAX;
    Wide v = magnitude(d->unscaled);
    *--at = '\0';
    for (int i = 0; v > 0 || i <= d->scale; i++) {
        if (i == d->scale && i > 0) *--at = '.';
        *--at = (char)('0' + (int)(v % 10));
        v /= 10;
    }
    if (d->unscaled < 0) *--at = '-';
    return at;
}

/* ---- from Lua */

static Decimal take(lua_State *L, int index) {
    Decimal d;
    size_t len;
    Decimal *given = luaL_testudata(L, index, TYPE_NAME);
    if (given) return *given;
    if (lua_isinteger(L, index)) return (Decimal){lua_tointeger(L, index), 0};
    if (lua_type(L, index) == LUA_TSTRING) {
        const char *text = lua_tolstring(L, index, &len);
        if (parse(text, len, &d)) return d;
        luaL_error(L, "'%s' is no decimal: write \"12.50\"", text);
    }
    if (lua_type(L, index) == LUA_TNUMBER)
        luaL_error(L, "a decimal is not made from a float: write decimal(\"0.1\") or a whole number");
    luaL_error(L, "decimal, whole number or text wanted, not %s", luaL_typename(L, index));
    return (Decimal){0};
}

static void align(lua_State *L, Decimal *a, Decimal *b) {
    Decimal *low = a->scale < b->scale ? a : b;
    int scale = a->scale < b->scale ? b->scale : a->scale;
    if (magnitude(low->unscaled) >= power10(DIGITS_MAX - (scale - low->scale))) luaL_error(L, "decimal too large");
    low->unscaled *= power10(scale - low->scale);
    low->scale = scale;
}

static int make(lua_State *L) {
    Decimal d = take(L, 1);
    push(L, d.unscaled, d.scale);
    return 1;
}

static int add(lua_State *L) {
    Decimal a = take(L, 1), b = take(L, 2);
    align(L, &a, &b);
    push(L, a.unscaled + b.unscaled, a.scale);
    return 1;
}

static int subtract(lua_State *L) {
    Decimal a = take(L, 1), b = take(L, 2);
    align(L, &a, &b);
    push(L, a.unscaled - b.unscaled, a.scale);
    return 1;
}

static int multiply(lua_State *L) {
    Decimal a = take(L, 1), b = take(L, 2);
    Wide product;
    if (__builtin_mul_overflow(a.unscaled, b.unscaled, &product)) luaL_error(L, "decimal too large");
    push(L, product, a.scale + b.scale);
    return 1;
}

static int negate(lua_State *L) {
    Decimal a = take(L, 1);
    push(L, -a.unscaled, a.scale);
    return 1;
}

/* num / den, rounded half to even */
static Wide divide_even(Wide num, Wide den) {
    Wide q = num / den, r = magnitude(num % den), half = magnitude(den) - r;
    bool away = r > half || (r == half && q % 2 != 0);
    return away ? q + ((num < 0) == (den < 0) ? 1 : -1) : q;
}

static int check_scale(lua_State *L, int index) {
    lua_Integer scale = luaL_checkinteger(L, index);
    if (scale < 0 || scale > SCALE_MAX) luaL_error(L, "a scale is 0 to %d", SCALE_MAX);
    return (int)scale;
}

static int divide(lua_State *L) {
    Decimal a = take(L, 1), b = take(L, 2);
    int up = check_scale(L, 3) + b.scale - a.scale;
    Wide num = a.unscaled, den = b.unscaled;
    if (den == 0) return luaL_error(L, "division by zero");
    Wide *grown = up >= 0 ? &num : &den;
    if (__builtin_mul_overflow(*grown, power10(up >= 0 ? up : -up), grown)) luaL_error(L, "decimal too large");
    push(L, divide_even(num, den), check_scale(L, 3));
    return 1;
}

static int bare_divide(lua_State *L) {
    return luaL_error(L, "a quotient of decimals needs its scale: write a:div(b, 2)");
}

static int round_to(lua_State *L) {
    Decimal a = take(L, 1);
    int scale = check_scale(L, 2);
    if (scale < a.scale) a = (Decimal){divide_even(a.unscaled, power10(a.scale - scale)), scale};
    push(L, a.unscaled, a.scale);
    return 1;
}

static int compare(lua_State *L) {
    Decimal a = take(L, 1), b = take(L, 2);
    align(L, &a, &b);
    return a.unscaled < b.unscaled ? -1 : a.unscaled > b.unscaled;
}

static int less(lua_State *L) {
    lua_pushboolean(L, compare(L) < 0);
    return 1;
}

static int less_equal(lua_State *L) {
    lua_pushboolean(L, compare(L) <= 0);
    return 1;
}

static int equal(lua_State *L) {
    lua_pushboolean(L, compare(L) == 0);
    return 1;
}

static int to_text(lua_State *L) {
    char text[TEXT_MAX];
    Decimal a = take(L, 1);
    lua_pushstring(L, format(&a, text));
    return 1;
}

static int to_number(lua_State *L) {
    Decimal a = take(L, 1);
    lua_pushnumber(L, (double)a.unscaled / (double)power10(a.scale));
    return 1;
}

static const luaL_Reg operators[] = {
    {"__add", add},          {"__sub", subtract},    {"__mul", multiply},     {"__unm", negate},
    {"__div", bare_divide},  {"__lt", less},         {"__le", less_equal},    {"__eq", equal},
    {"__tostring", to_text}, {"__mod", bare_divide}, {"__idiv", bare_divide}, {NULL, NULL},
};
static const luaL_Reg methods[] = {
    {"div", divide}, {"round", round_to}, {"tonumber", to_number}, {"tostring", to_text}, {NULL, NULL}};

void script_decimal_register(lua_State *L) {
    luaL_newmetatable(L, TYPE_NAME);
    luaL_setfuncs(L, operators, 0);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    lua_pushcfunction(L, make);
}

void script_decimal_push(lua_State *L, int64_t unscaled, unsigned char scale) { push(L, unscaled, scale); }

Err script_decimal_read(lua_State *L, int index, unsigned char scale, bool *is_number, int64_t *out) {
    Decimal *given = luaL_testudata(L, index, TYPE_NAME);
    *is_number = given || lua_isinteger(L, index);
    if (!*is_number) return err_none();
    Decimal d = given ? *given : (Decimal){lua_tointeger(L, index), 0};
    if (d.scale > scale)
        return err_make(ERR_INVALID, "%d digits behind the point where %u fit: round with :round(%u)", d.scale, scale,
                        scale);
    if (__builtin_mul_overflow(d.unscaled, power10(scale - d.scale), &d.unscaled) || d.unscaled > INT64_MAX ||
        d.unscaled < INT64_MIN)
        return err_make(ERR_LIMIT, "the number is too large to be kept with %u digits behind the point", scale);
    *out = (int64_t)d.unscaled;
    return err_none();
}
