#include "common.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fail(const char *format, ...) {
    char message[1024];
    va_list given;
    va_start(given, format);
    vsnprintf(message, sizeof message, format, given);
    va_end(given);
    message[strcspn(message, "\r\n")] = '\0';
    fprintf(stderr, "sentiment: %s\n", message);
    exit(1);
}

void *need_more(void *old, size_t bytes) {
    void *found = realloc(old, bytes ? bytes : 1);
    if (!found) fail("out of memory");
    return found;
}

void *need(size_t bytes) { return need_more(NULL, bytes); }

char *read_file(const char *folder, const char *name, size_t *length) {
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) fail("the bundle's path is too long");
    FILE *file = fopen(path, "rb");
    if (!file) fail("%s: %s", path, strerror(errno));
    size_t room = 1 << 16, size = 0, part;
    char *contents = need(room);
    while ((part = fread(contents + size, 1, room - size - 1, file)) > 0) {
        size += part;
        if (size + 1 == room) contents = need_more(contents, room *= 2);
    }
    if (ferror(file)) fail("%s: %s", path, strerror(errno));
    fclose(file);
    contents[size] = '\0';
    *length = size;
    return contents;
}
