/* UTF-8, one character at a time. */
#ifndef UTF8_H
#define UTF8_H

#include <stddef.h>
#include <stdint.h>

enum { REPLACEMENT = 0xFFFD };

static inline char *utf8_write(char *out, uint32_t point) {
    if (point < 0x80) {
        *out++ = (char)point;
    } else if (point < 0x800) {
        *out++ = (char)(0xC0 | point >> 6);
        *out++ = (char)(0x80 | (point & 0x3F));
    } else {
        if (point < 0x10000) {
            *out++ = (char)(0xE0 | point >> 12);
        } else {
            *out++ = (char)(0xF0 | point >> 18);
            *out++ = (char)(0x80 | (point >> 12 & 0x3F));
        }
        *out++ = (char)(0x80 | (point >> 6 & 0x3F));
        *out++ = (char)(0x80 | (point & 0x3F));
    }
    return out;
}

/* The character at *at, which is moved behind it; REPLACEMENT for each byte that belongs to none. */
static inline uint32_t utf8_read(const char **at, const char *end) {
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    unsigned char lead = (unsigned char)*(*at)++;
    if (lead < 0x80) return lead;
    int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC2 || lead > 0xF4 || end - *at < more) return REPLACEMENT;
    uint32_t point = lead & (0x3Fu >> more);
    for (int index = 0; index < more; index++) {
        unsigned char next = (unsigned char)(*at)[index];
        if ((next & 0xC0) != 0x80) return REPLACEMENT;
        point = point << 6 | (next & 0x3F);
    }
    if (point < least[more] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) return REPLACEMENT;
    *at += more;
    return point;
}

#endif
