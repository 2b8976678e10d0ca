#include "normalizer.h"

#include <stdlib.h>

#include "common.h"
#include "utf8.h"

typedef struct { uint32_t first, last; } Range;
typedef struct { uint32_t first, last; int step, add; } Shift;
typedef struct { uint32_t point, other; } Pair;
typedef struct { uint32_t point, others[4]; } Sequence;

#include "unicode_tables.h"

enum { SYLLABLES = 0xAC00, SYLLABLES_END = 0xD7A4, PER_LEAD = 588, PER_VOWEL = 28 };
enum { LEADS = 0x1100, VOWELS = 0x1161, TAILS = 0x11A7 };

/* The row of a table whose first column, or the range from it, holds a character; NULL where there is none. */
#define FIND(table, point, compare) \
    bsearch(&(uint32_t){point}, table, sizeof table / sizeof *table, sizeof *table, compare)

static int by_range(const void *key, const void *row) {
    uint32_t point = *(const uint32_t *)key;
    const uint32_t *range = row; /* Range and Shift begin alike */
    return point < range[0] ? -1 : point > range[1];
}

static int by_point(const void *key, const void *row) {
    uint32_t point = *(const uint32_t *)key, other = *(const uint32_t *)row;
    return point < other ? -1 : point > other;
}

bool is_punctuation(uint32_t point) { return FIND(PUNCTUATION, point, by_range) != NULL; }

static void put(Points *points, uint32_t point) {
    if (points->count == points->room) {
        points->room = points->room ? 2 * points->room : 256;
        points->each = need_more(points->each, points->room * sizeof *points->each);
    }
    points->each[points->count++] = point;
}

static uint32_t mark_class(uint32_t point) {
    const Pair *mark = point < 0x300 ? NULL : FIND(MARKS, point, by_point);
    return mark ? mark->other : 0;
}

/* Put a character behind those of a run of marks that are to stand before it; `run` is where the run begins. */
static void put_ordered(Points *points, uint32_t point, size_t *run) {
    uint32_t class = mark_class(point);
    put(points, point);
    size_t place = points->count - 1;
    if (!class) {
        *run = points->count;
        return;
    }
    for (; place > *run && mark_class(points->each[place - 1]) > class; place--) points->each[place] = points->each[place - 1];
    points->each[place] = point;
}

static void put_syllable(Points *points, uint32_t index, size_t *run) {
    put_ordered(points, LEADS + index / PER_LEAD, run);
    put_ordered(points, VOWELS + index % PER_LEAD / PER_VOWEL, run);
    if (index % PER_VOWEL) put_ordered(points, TAILS + index % PER_VOWEL, run);
}

static void put_lowered(Points *points, uint32_t point, size_t *run) {
    const Shift *shift;
    const Pair *replaced;
    const Sequence *sequence;
    if (point >= SYLLABLES && point < SYLLABLES_END) {
        put_syllable(points, point - SYLLABLES, run);
    } else if (FIND(STRIPPED, point, by_range)) {
        if (FIND(STRIPPED_STARTERS, point, by_range)) *run = points->count; /* marks are not moved across it */
    } else if ((shift = FIND(LOWERED, point, by_range)) && (point - shift->first) % (uint32_t)shift->step == 0) {
        put_ordered(points, point + (uint32_t)shift->add, run);
    } else if ((replaced = FIND(REPLACED, point, by_point))) {
        put_ordered(points, replaced->other, run);
    } else if ((sequence = FIND(SEQUENCES, point, by_point))) {
        for (int index = 0; index < 4 && sequence->others[index]; index++) put_ordered(points, sequence->others[index], run);
    } else {
        put_ordered(points, point, run);
    }
}

void normalize(const Normalizer *normalizer, const char *text, const char *end, Points *points) {
    size_t run = points->count = 0;
    while (text < end) {
        uint32_t point = utf8_read(&text, end);
        if (FIND(CLEANED, point, by_range)) continue;
        if (FIND(SPACES, point, by_range)) point = ' ';
        bool apart = normalizer->chinese && FIND(CHINESE, point, by_range);
        if (apart) put_ordered(points, ' ', &run);
        if (normalizer->lower) put_lowered(points, point, &run);
        else put(points, point);
        if (apart) put_ordered(points, ' ', &run);
    }
}
