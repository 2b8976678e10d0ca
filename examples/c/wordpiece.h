/* BERT's tokenizer, as tokenizer.json describes it. */
#ifndef WORDPIECE_H
#define WORDPIECE_H

#include <stddef.h>
#include <stdint.h>

#include "json.h"
#include "normalizer.h"

typedef struct {
    int64_t *each;
    size_t count, room;
} Ids;

typedef struct {
    const char *text;
    unsigned length;
    int id;
} Piece;

typedef struct {
    Normalizer normalizer;
    Piece *pieces; /* a hash table, of a size that is a power of two */
    size_t size;
    Piece *added; /* tokens that are found in a text before anything else */
    size_t added_count;
    Piece prefix; /* of pieces that go on a word */
    int unknown;
    size_t longest_word; /* in characters; a longer one is unknown */
    Points points; /* kept from text to text, for its memory */
    char *word;
} Tokenizer;

/* Make a tokenizer; the program ends where it is not BERT's. The text that was read must live as long. */
Tokenizer tokenizer_open(const Json *root);

/* Append the ids of a text, without special tokens around them; those beyond `most` may be left out. */
void tokenizer_encode(Tokenizer *tokenizer, const char *text, size_t length, size_t most, Ids *ids);

void ids_put(Ids *ids, int64_t id);

#endif
