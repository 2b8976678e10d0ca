#include "json.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "utf8.h"

enum { PER_BLOCK = 512, DEEPEST = 64 };

typedef struct JsonBlock {
    struct JsonBlock *earlier;
    size_t used;
    Json each[PER_BLOCK];
} JsonBlock;

typedef struct {
    char *at;
    char *end;
    const char *name;
    JsonBlock *blocks;
} Reader;

static void read_value(Reader *reader, Json *into, int depth);

static _Noreturn void broken(const Reader *reader) { fail("%s is not valid JSON", reader->name); }

static Json *new_json(Reader *reader) {
    if (!reader->blocks || reader->blocks->used == PER_BLOCK) {
        JsonBlock *block = need(sizeof *block);
        block->earlier = reader->blocks;
        block->used = 0;
        reader->blocks = block;
    }
    Json *made = &reader->blocks->each[reader->blocks->used++];
    memset(made, 0, sizeof *made);
    return made;
}

static void skip_space(Reader *reader) { reader->at += strspn(reader->at, " \t\r\n"); }

static bool take(Reader *reader, char wanted) {
    skip_space(reader);
    if (*reader->at != wanted || reader->at == reader->end) return false;
    reader->at++;
    return true;
}

static uint32_t read_hex(Reader *reader) {
    uint32_t value = 0;
    for (int digit = 0; digit < 4; digit++, reader->at++) {
        const char *digits = "0123456789abcdef", lower = *reader->at | 0x20;
        const char *found = *reader->at > ' ' ? strchr(digits, *reader->at <= '9' ? *reader->at : lower) : NULL;
        if (!found || !*found) broken(reader);
        value = value << 4 | (uint32_t)(found - digits);
    }
    return value;
}

/* What follows \u: one character, or two halves of one; a lone half becomes a question mark, as in the Python runtime. */
static char *decode_point(Reader *reader, char *out) {
    uint32_t point = read_hex(reader);
    if (point >= 0xD800 && point < 0xDC00 && reader->at[0] == '\\' && reader->at[1] == 'u') {
        char *second = reader->at;
        reader->at += 2;
        uint32_t low = read_hex(reader);
        if (low >= 0xDC00 && low < 0xE000) return utf8_write(out, 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00));
        reader->at = second;
    }
    return utf8_write(out, point >= 0xD800 && point < 0xE000 ? '?' : point);
}

/* The decoded string is never longer than the written one, so that it fits where that stood. */
static const char *read_string(Reader *reader, size_t *length) {
    static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    char *start = reader->at, *out = start;
    while (*reader->at != '"') {
        if (reader->at >= reader->end || (unsigned char)*reader->at < ' ') broken(reader);
        if (*reader->at != '\\') {
            *out++ = *reader->at++;
            continue;
        }
        char escape = *++reader->at;
        const char *found = escape ? strchr(escapes, escape) : NULL;
        if (!found && escape != 'u') broken(reader);
        reader->at++;
        if (found) *out++ = meant[found - escapes];
        else out = decode_point(reader, out);
    }
    reader->at++;
    *out = '\0';
    *length = (size_t)(out - start);
    return start;
}

static void read_members(Reader *reader, Json *into, int depth) {
    char closing = into->kind == JSON_OBJECT ? '}' : ']';
    Json **place = &into->first;
    if (take(reader, closing)) return;
    do {
        Json *member = *place = new_json(reader);
        if (into->kind == JSON_OBJECT) {
            if (!take(reader, '"')) broken(reader);
            const char *name = read_string(reader, &member->name_length);
            member->name = name;
            if (!take(reader, ':')) broken(reader);
        }
        read_value(reader, member, depth + 1);
        place = &member->next;
        into->count++;
    } while (take(reader, ','));
    if (!take(reader, closing)) broken(reader);
}

static void read_word(Reader *reader, Json *into) {
    static const char *const words[] = {[JSON_NULL] = "null", [JSON_FALSE] = "false", [JSON_TRUE] = "true"};
    for (JsonKind kind = JSON_NULL; kind <= JSON_TRUE; kind++) {
        if (!strncmp(reader->at, words[kind], strlen(words[kind]))) {
            into->kind = kind;
            reader->at += strlen(words[kind]);
            return;
        }
    }
    if (!strchr("-0123456789", *reader->at) || !*reader->at) broken(reader);
    char *end;
    into->kind = JSON_NUMBER;
    into->number = strtod(reader->at, &end);
    reader->at = end;
}

static void read_value(Reader *reader, Json *into, int depth) {
    if (depth > DEEPEST) broken(reader);
    if (take(reader, '{')) {
        into->kind = JSON_OBJECT;
        read_members(reader, into, depth);
    } else if (take(reader, '[')) {
        into->kind = JSON_ARRAY;
        read_members(reader, into, depth);
    } else if (take(reader, '"')) {
        into->kind = JSON_STRING;
        into->string = read_string(reader, &into->length);
    } else {
        read_word(reader, into);
    }
}

JsonText json_read(char *text, size_t length, const char *name) {
    Reader reader = {text, text + length, name, NULL};
    Json *root = new_json(&reader);
    read_value(&reader, root, 0);
    skip_space(&reader);
    if (reader.at != reader.end) broken(&reader);
    return (JsonText){root, reader.blocks};
}

void json_free(JsonText *text) {
    for (JsonBlock *block = text->blocks, *earlier; block; block = earlier) {
        earlier = block->earlier;
        free(block);
    }
}

const Json *json_find(const Json *object, const char *name) {
    if (object->kind != JSON_OBJECT) return NULL;
    size_t length = strlen(name);
    const Json *member = object->first;
    while (member && (member->name_length != length || memcmp(member->name, name, length))) member = member->next;
    return member;
}

const Json *json_get(const Json *object, const char *name, JsonKind kind) {
    const Json *found = json_find(object, name);
    if (!found || found->kind != kind) fail("the bundle has no %s, or a wrong one: export it again", name);
    return found;
}

int json_int(const Json *value, const char *name) {
    double number = value->kind == JSON_NUMBER ? value->number : -1;
    if (!(number >= 0 && number <= INT_MAX && number == floor(number))) fail("the bundle has a wrong %s", name);
    return (int)number;
}

int json_whole(const Json *object, const char *name) { return json_int(json_get(object, name, JSON_NUMBER), name); }

const char *json_string(const Json *object, const char *name) { return json_get(object, name, JSON_STRING)->string; }

bool json_is(const Json *object, const char *name, const char *string) {
    const Json *found = json_find(object, name);
    return found && found->kind == JSON_STRING && !strcmp(found->string, string);
}
