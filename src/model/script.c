/*
 * A script is its text and a pool of Lua states that have run it; a call borrows one, so that threads never share a
 * state and none is made twice without need. What a script can name is in the tables below and nothing else: Lua's own
 * libraries are never opened. There is no pcall and no coroutine (they would catch the limits), no pattern functions
 * (they cannot be interrupted), no metatables, no load.
 *
 * After the text has run, what it defined moves behind an empty table that refuses writes: the script's world is
 * frozen.
 */
#include "model/script.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/script_decimal.h"
#include "os/clock.h"
#include "os/thread.h"

enum { HOOK_EVERY = 1000, POOL_MAX = 16, DEPTH_MAX = 4, SPLIT_MAX = 1000, TEXT_MAX = 256 * 1024 };

struct state {
    lua_State *L;
    struct state *next;
    const struct script_limits *limits;
    size_t memory;
    uint32_t instructions;
    Nanos until;
    bool calling; /* memory is limited only then and while compiling */
    const char *broke;
};

struct script {
    Str name, text;
    struct script_limits limits;
    pthread_mutex_t lock;
    struct state *pool;
    size_t pooled;
};

/* ---- limits */

static void *allocate(void *ud, void *ptr, size_t old, size_t size) {
    struct state *s = ud;
    if (!ptr) old = 0;
    if (size == 0) {
        s->memory -= old;
        free(ptr);
        return NULL;
    }
    if (size > old && s->calling && s->memory + (size - old) > s->limits->memory) {
        s->broke = "memory";
        return NULL;
    }
    void *moved = realloc(ptr, size);
    if (moved) s->memory += size - old;
    return moved;
}

static struct state *state_of(lua_State *L) { return *(struct state **)lua_getextraspace(L); }

static void count(lua_State *L, lua_Debug *at) {
    (void)at;
    struct state *s = state_of(L);
    s->instructions += HOOK_EVERY;
    if (s->instructions > s->limits->instructions)
        s->broke = "instructions";
    else if (clock_monotonic() > s->until)
        s->broke = "time";
    if (s->broke) luaL_error(L, "out of %s", s->broke);
}

static void arm(struct state *s) {
    s->calling = true;
    s->broke = NULL;
    s->instructions = 0;
    s->until = clock_monotonic() + s->limits->time;
    lua_sethook(s->L, count, LUA_MASKCOUNT, HOOK_EVERY);
}

/* ---- what scripts may call beside Lua's own */

static int split(lua_State *L) {
    size_t len, sep_len, n = 0;
    const char *text = luaL_checklstring(L, 1, &len), *sep = luaL_checklstring(L, 2, &sep_len), *end = text + len;
    if (sep_len == 0) return luaL_error(L, "split needs a separator");
    lua_newtable(L);
    for (const char *hit; n + 1 < SPLIT_MAX && (hit = memmem(text, (size_t)(end - text), sep, sep_len));) {
        lua_pushlstring(L, text, (size_t)(hit - text));
        lua_rawseti(L, -2, (lua_Integer)++n);
        text = hit + sep_len;
    }
    lua_pushlstring(L, text, (size_t)(end - text));
    lua_rawseti(L, -2, (lua_Integer)++n);
    return 1;
}

static int find_plain(lua_State *L) {
    size_t len, part_len;
    const char *text = luaL_checklstring(L, 1, &len), *part = luaL_checklstring(L, 2, &part_len);
    lua_Integer from = luaL_optinteger(L, 3, 1);
    const char *hit = NULL;
    if (from >= 1 && (size_t)from <= len + 1) hit = memmem(text + from - 1, len - (size_t)from + 1, part, part_len);
    if (!hit)
        lua_pushnil(L);
    else
        lua_pushinteger(L, hit - text + 1);
    return 1;
}

/* Addresses would differ from run to run. */
static int to_text(lua_State *L) {
    luaL_checkany(L, 1);
    int type = lua_type(L, 1);
    if (type == LUA_TTABLE || type == LUA_TFUNCTION)
        lua_pushstring(L, lua_typename(L, type));
    else
        luaL_tolstring(L, 1, NULL);
    return 1;
}

static int format(lua_State *L) {
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '%') continue;
        i += 1 + strspn(text + i + 1, "-+ #0123456789.");
        if (i < len && text[i] == 'p') return luaL_error(L, "'%%p' shows addresses, which scripts do not have");
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

static const luaL_Reg own_functions[] = {
    {"split", split}, {"find_plain", find_plain}, {"tostring", to_text}, {NULL, NULL}};

/* Taken from Lua's libraries by name; the rest of them is never seen. */
static const char *const from_base[] = {"assert", "error",    "ipairs", "next", "pairs",
                                        "select", "tonumber", "type",   NULL};
static const char *const from_math[] = {"abs", "ceil", "cos",  "exp",        "floor",      "fmod",      "log",  "max",
                                        "min", "modf", "sin",  "sqrt",       "tan",        "tointeger", "type", "atan",
                                        "ult", "pi",   "huge", "maxinteger", "mininteger", NULL};
static const char *const from_string[] = {"byte", "char", "len", "lower", "upper", "rep", "reverse", "sub", NULL};
static const char *const from_table[] = {"concat", "insert", "remove", "sort", "unpack", NULL};
static const struct {
    const char *name;
    lua_CFunction open;
    const char *const *names;
} libraries[] = {
    {"math", luaopen_math, from_math}, {"string", luaopen_string, from_string}, {"table", luaopen_table, from_table}};

static void copy_named(lua_State *L, int from, int to, const char *const *names) {
    for (; *names; names++) {
        lua_getfield(L, from, *names);
        lua_setfield(L, to, *names);
    }
}

static int refuse_write(lua_State *L) {
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
    return luaL_error(L, "'%s' is set outside a function's own variables: declare it with 'local'", name);
}

/* Replaces the table on top with an empty one that reads from it and refuses writes. */
static void freeze(lua_State *L, int shell) {
    lua_createtable(L, 0, 3);
    lua_insert(L, -2);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, refuse_write);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, shell);
}

static void add_library(lua_State *L, int world, size_t i) {
    lua_pushcfunction(L, libraries[i].open);
    lua_call(L, 0, 1);
    int whole = lua_gettop(L);
    lua_newtable(L);
    int shell = lua_gettop(L);
    lua_newtable(L);
    copy_named(L, whole, lua_gettop(L), libraries[i].names);
    if (libraries[i].open == luaopen_string) {
        lua_getfield(L, whole, "format");
        lua_pushcclosure(L, format, 1);
        lua_setfield(L, -2, "format");
        lua_pushliteral(L, "");
        if (lua_getmetatable(L, -1)) { /* ("x"):upper() finds the same few functions */
            lua_pushvalue(L, shell);
            lua_setfield(L, -2, "__index");
            lua_pushboolean(L, 0);
            lua_setfield(L, -2, "__metatable");
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    freeze(L, shell);
    lua_pushvalue(L, shell);
    lua_setfield(L, world, libraries[i].name);
    lua_settop(L, whole - 1);
}

static void build_world(lua_State *L) {
    lua_newtable(L);
    int world = lua_gettop(L);
    lua_pushcfunction(L, luaopen_base);
    lua_call(L, 0, 1);
    copy_named(L, world + 1, world, from_base);
    lua_settop(L, world);
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) add_library(L, world, i);
    luaL_setfuncs(L, own_functions, 0);
    script_decimal_register(L);
    lua_setfield(L, world, "decimal");
}

/* ---- a state that has run the text; the registry's "script" is what it defined */

static int run_text(lua_State *L) {
    const struct script *script = lua_touserdata(L, 1);
    char name[256];
    lua_settop(L, 0);
    build_world(L);
    snprintf(name, sizeof name, "@" STR_FMT, STR_ARG(script->name));
    if (luaL_loadbufferx(L, script->text.ptr, script->text.len, name, "t") != LUA_OK) return lua_error(L);
    lua_newtable(L); /* the world while the text runs: its own definitions, over what is given */
    lua_newtable(L);
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_setupvalue(L, 2, 1);
    lua_insert(L, 2);
    lua_call(L, 0, 0);
    lua_newtable(L); /* frozen: definitions move out of it, and it refuses new ones */
    lua_pushnil(L);
    while (lua_next(L, 2)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, 3);
    }
    lua_pushvalue(L, 3);
    lua_setfield(L, LUA_REGISTRYINDEX, "script");
    lua_pushnil(L);
    while (lua_next(L, 3)) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_pushnil(L);
        lua_rawset(L, 2);
    }
    lua_newtable(L); /* definitions first, then what is given */
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, 3);
    lua_settop(L, 3);
    freeze(L, 2);
    return 0;
}

static Err failure(struct state *s, const struct script *script) {
    const char *text = lua_tostring(s->L, -1);
    if (s->broke)
        return err_make(ERR_LIMIT, "script '" STR_FMT "' ran out of %s: %.120s", STR_ARG(script->name), s->broke,
                        text ? text : "make it do less");
    return err_make(ERR_INVALID, "script " STR_FMT ": %.200s", STR_ARG(script->name),
                    text ? text : "failed without a text");
}

static void state_free(struct state *s) {
    s->calling = false;
    if (s->L) lua_close(s->L);
    free(s);
}

static Err state_new(const struct script *script, struct state **out) {
    struct state *s = calloc(1, sizeof *s);
    ASSERT(s);
    s->limits = &script->limits;
    s->L = lua_newstate(allocate, s);
    ASSERT(s->L);
    *(struct state **)lua_getextraspace(s->L) = s;
    arm(s);
    lua_pushcfunction(s->L, run_text);
    lua_pushlightuserdata(s->L, (void *)(uintptr_t)script);
    bool ran = lua_pcall(s->L, 1, 0, 0) == LUA_OK;
    s->calling = false;
    if (!ran) {
        Err err = failure(s, script);
        state_free(s);
        return err;
    }
    *out = s;
    return err_none();
}

static Err borrow(const struct script *script, struct state **out) {
    struct script *self = (struct script *)(uintptr_t)script; /* the pool is not part of what a script is */
    thread_lock(&self->lock);
    struct state *s = self->pool;
    if (s) self->pool = s->next, self->pooled--;
    thread_unlock(&self->lock);
    if (!s) return state_new(script, out);
    *out = s;
    return err_none();
}

/* A state that broke a limit may be half-way through anything: it is not used again. */
static void give_back(const struct script *script, struct state *s, bool sound) {
    struct script *self = (struct script *)(uintptr_t)script;
    s->calling = false;
    lua_sethook(s->L, NULL, 0, 0);
    lua_settop(s->L, 0);
    if (sound && s->memory > script->limits.memory / 2) lua_gc(s->L, LUA_GCCOLLECT);
    thread_lock(&self->lock);
    bool keep = sound && self->pooled < POOL_MAX;
    if (keep) s->next = self->pool, self->pool = s, self->pooled++;
    thread_unlock(&self->lock);
    if (!keep) state_free(s);
}

Err script_compile(Str name, Str text, const struct script_limits *limits, struct script **out) {
    struct script_limits given = limits ? *limits : (struct script_limits){0};
    struct state *s;
    if (text.len > TEXT_MAX)
        return err_make(ERR_LIMIT, "script '" STR_FMT "' has %zu bytes: at most %d", STR_ARG(name), text.len, TEXT_MAX);
    char *kept = malloc(name.len + text.len + 1);
    struct script *script = calloc(1, sizeof *script);
    ASSERT(kept && script);
    memcpy(kept, name.ptr, name.len);
    if (text.len > 0) memcpy(kept + name.len, text.ptr, text.len);
    script->name = str_n(kept, name.len);
    script->text = str_n(kept + name.len, text.len);
    script->limits = (struct script_limits){.instructions = given.instructions ? given.instructions : 100000,
                                            .memory = given.memory ? given.memory : 1 << 20,
                                            .time = given.time ? given.time : 5 * NANOS_PER_MS};
    thread_mutex_init(&script->lock);
    Err err = state_new(script, &s);
    if (err.code == ERR_NONE) {
        give_back(script, s, true);
        *out = script;
    } else {
        script_free(script);
    }
    return err;
}

void script_free(struct script *script) {
    if (!script) return;
    for (struct state *s = script->pool, *next; s; s = next) {
        next = s->next;
        state_free(s);
    }
    thread_mutex_fini(&script->lock);
    free((void *)(uintptr_t)script->name.ptr);
    free(script);
}

bool script_has(const struct script *script, const char *function) {
    struct state *s;
    if (borrow(script, &s).code != ERR_NONE) return false;
    lua_getfield(s->L, LUA_REGISTRYINDEX, "script");
    lua_pushstring(s->L, function);
    bool is = lua_rawget(s->L, -2) == LUA_TFUNCTION;
    give_back(script, s, true);
    return is;
}

/* ---- a call */

static void push_record(lua_State *L, const struct script_row *row, int depth);

static void push_field(lua_State *L, const struct script_field *f, int depth) {
    if (f->rows) {
        lua_createtable(L, (int)f->n_rows, 0);
        for (size_t i = 0; i < f->n_rows; i++) {
            push_record(L, &f->rows[i], depth + 1);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        return;
    }
    switch (f->value.kind) {
    case VALUE_NONE: lua_pushnil(L); break;
    case VALUE_INT:
        if (f->decimal)
            script_decimal_push(L, f->value.i, f->scale);
        else
            lua_pushinteger(L, f->value.i);
        break;
    case VALUE_FLOAT: lua_pushnumber(L, f->value.f); break;
    case VALUE_BOOL: lua_pushboolean(L, f->value.b); break;
    case VALUE_STRING: lua_pushlstring(L, f->value.s.len ? f->value.s.ptr : "", f->value.s.len); break;
    }
}

static void push_record(lua_State *L, const struct script_row *row, int depth) {
    if (depth > DEPTH_MAX) luaL_error(L, "lines nested too deep");
    luaL_checkstack(L, 8, NULL);
    lua_createtable(L, 0, (int)row->n);
    for (size_t i = 0; i < row->n; i++) {
        push_field(L, &row->fields[i], depth);
        lua_setfield(L, -2, row->fields[i].name);
    }
}

struct call {
    const char *function;
    const struct script_row *record;
    Nanos now;
};

static int run_call(lua_State *L) {
    const struct call *call = lua_touserdata(L, 1);
    lua_getfield(L, LUA_REGISTRYINDEX, "script");
    lua_pushinteger(L, call->now);
    lua_setfield(L, -2, "now");
    lua_pushstring(L, call->function);
    if (lua_rawget(L, -2) != LUA_TFUNCTION) luaL_error(L, "there is no function '%s'", call->function);
    push_record(L, call->record, 0);
    lua_call(L, 1, 1);
    return 1;
}

static Err take_result(lua_State *L, const struct script *script, const char *function, unsigned char scale,
                       struct arena *arena, Value *out) {
    bool is_number;
    size_t len;
    int64_t whole = 0;
    TRY(script_decimal_read(L, -1, scale, &is_number, &whole));
    if (is_number) {
        *out = VALUE_I(whole);
        return err_none();
    }
    const char *text;
    switch (lua_type(L, -1)) {
    case LUA_TNIL: *out = (Value){.kind = VALUE_NONE}; break;
    case LUA_TBOOLEAN: *out = VALUE_B(lua_toboolean(L, -1)); break;
    case LUA_TNUMBER: *out = VALUE_F(lua_tonumber(L, -1)); break;
    case LUA_TSTRING:
        text = lua_tolstring(L, -1, &len);
        *out = VALUE_S(arena_str(arena, str_n(text, len)));
        break;
    default:
        return err_make(ERR_INVALID, "script " STR_FMT ": '%s' gave a %s: return a value", STR_ARG(script->name),
                        function, luaL_typename(L, -1));
    }
    return err_none();
}

Err script_call(const struct script *script, const char *function, const struct script_row *record, Nanos now,
                unsigned char scale, struct arena *arena, Value *out) {
    struct state *s;
    TRY(borrow(script, &s));
    struct call call = {function, record, now};
    arm(s);
    lua_pushcfunction(s->L, run_call);
    lua_pushlightuserdata(s->L, &call);
    bool ran = lua_pcall(s->L, 1, 1, 0) == LUA_OK;
    s->calling = false; /* outside a protected call nothing may run out of memory */
    Err err = ran ? take_result(s->L, script, function, scale, arena, out) : failure(s, script);
    give_back(script, s, ran);
    return err;
}
