/* BERT's normalizer, and what it says of a character. */
#ifndef NORMALIZER_H
#define NORMALIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    bool chinese; /* each Chinese character is a word of its own */
    bool lower; /* lower case, and no accents */
} Normalizer;

typedef struct {
    uint32_t *each;
    size_t count, room;
} Points;

/* Put the characters of a text into points, cleaned, lowered and stripped of accents as the normalizer is set. */
void normalize(const Normalizer *normalizer, const char *text, const char *end, Points *points);

bool is_punctuation(uint32_t point);

#endif
