/* A small reader of JSON. Strings are decoded where they stand, so the text must live as long as what was read from it. */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>

typedef enum { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT } JsonKind;

typedef struct Json {
    JsonKind kind;
    unsigned count; /* of an array's or object's members */
    const char *name; /* in an object */
    size_t name_length;
    union {
        double number;
        const char *string; /* with a NUL after it; it may hold others */
        struct Json *first;
    };
    size_t length; /* of a string, in bytes */
    struct Json *next; /* in the same array or object */
} Json;

typedef struct {
    Json *root;
    struct JsonBlock *blocks;
} JsonText;

/* Read a text, which is changed; `name` is named where it is not JSON, which ends the program. */
JsonText json_read(char *text, size_t length, const char *name);
void json_free(JsonText *text);

/* A member of an object; NULL where there is none. */
const Json *json_find(const Json *object, const char *name);

/* A whole number, 0 or more; the program ends where the value, which has this name, is another. */
int json_int(const Json *value, const char *name);

/* The same as json_find, but the program ends where there is none or it is of another kind. */
const Json *json_get(const Json *object, const char *name, JsonKind kind);
int json_whole(const Json *object, const char *name);
const char *json_string(const Json *object, const char *name);
bool json_is(const Json *object, const char *name, const char *string);

#endif
