#include "wordpiece.h"

#include <string.h>

#include "common.h"
#include "utf8.h"

enum { BYTES_OF_A_CHARACTER = 4, LONGEST_WORD = 100000, LONGEST_PREFIX = 64 };

void ids_put(Ids *ids, int64_t id) {
    if (ids->count == ids->room) {
        ids->room = ids->room ? 2 * ids->room : 256;
        ids->each = need_more(ids->each, ids->room * sizeof *ids->each);
    }
    ids->each[ids->count++] = id;
}

/* The place of a piece in the hash table: where it stands, or would. */
static Piece *place_of(const Tokenizer *tokenizer, const char *text, size_t length) {
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t index = 0; index < length; index++) hash = (hash ^ (unsigned char)text[index]) * 16777619u;
    size_t at = hash & (tokenizer->size - 1);
    for (; tokenizer->pieces[at].text; at = (at + 1) & (tokenizer->size - 1)) {
        const Piece *piece = &tokenizer->pieces[at];
        if (piece->length == length && !memcmp(piece->text, text, length)) break;
    }
    return &tokenizer->pieces[at];
}

static void read_vocabulary(Tokenizer *tokenizer, const Json *vocabulary) {
    for (tokenizer->size = 16; tokenizer->size < 2 * (size_t)vocabulary->count; tokenizer->size *= 2) continue;
    tokenizer->pieces = need(tokenizer->size * sizeof *tokenizer->pieces);
    memset(tokenizer->pieces, 0, tokenizer->size * sizeof *tokenizer->pieces);
    for (const Json *each = vocabulary->first; each; each = each->next) {
        Piece piece = {each->name, (unsigned)each->name_length, json_int(each, "vocab")};
        *place_of(tokenizer, piece.text, piece.length) = piece;
    }
}

static void read_added(Tokenizer *tokenizer, const Json *added) {
    static const char *const refused[] = {"single_word", "lstrip", "rstrip", "normalized"};
    tokenizer->added = need(added->count * sizeof *tokenizer->added);
    for (const Json *each = added->first; each; each = each->next) {
        const Json *content = json_get(each, "content", JSON_STRING);
        for (size_t index = 0; index < sizeof refused / sizeof *refused; index++) {
            const Json *option = json_find(each, refused[index]);
            if (!option || option->kind != JSON_TRUE) continue;
            fail("the token %s is %s, which this program cannot do", content->string, refused[index]);
        }
        Piece piece = {content->string, (unsigned)content->length, json_whole(each, "id")};
        if (piece.length) tokenizer->added[tokenizer->added_count++] = piece;
    }
}

static Normalizer read_normalizer(const Json *normalizer) {
    const Json *strip = json_find(normalizer, "strip_accents");
    bool lower = json_find(normalizer, "lowercase") && json_find(normalizer, "lowercase")->kind == JSON_TRUE;
    bool stripped = strip && strip->kind != JSON_NULL ? strip->kind == JSON_TRUE : lower;
    const Json *clean = json_find(normalizer, "clean_text");
    const Json *chinese = json_find(normalizer, "handle_chinese_chars");
    if (stripped != lower || !clean || clean->kind != JSON_TRUE) {
        fail("its normalizer is set in a way that this program cannot do: only lower case without accents, or neither");
    }
    return (Normalizer){.chinese = chinese && chinese->kind == JSON_TRUE, .lower = lower};
}

Tokenizer tokenizer_open(const Json *root) {
    const Json *model = json_get(root, "model", JSON_OBJECT), *normalizer = json_find(root, "normalizer");
    const Json *words = json_find(root, "pre_tokenizer");
    if (!json_is(model, "type", "WordPiece")) {
        fail("its tokenizer is %s; this program knows only WordPiece", json_string(model, "type"));
    }
    bool cleans = normalizer && json_is(normalizer, "type", "BertNormalizer");
    if (!cleans || !words || !json_is(words, "type", "BertPreTokenizer")) {
        fail("its tokenizer does not make words as BERT does; this program knows no other way");
    }
    Tokenizer tokenizer = {.normalizer = read_normalizer(normalizer)};
    read_vocabulary(&tokenizer, json_get(model, "vocab", JSON_OBJECT));
    read_added(&tokenizer, json_get(root, "added_tokens", JSON_ARRAY));
    const Json *unknown = json_get(model, "unk_token", JSON_STRING);
    const Json *prefix = json_get(model, "continuing_subword_prefix", JSON_STRING);
    const Piece *piece = place_of(&tokenizer, unknown->string, unknown->length);
    int longest = json_whole(model, "max_input_chars_per_word");
    if (!piece->text) fail("tokenizer.json has no id for %s", unknown->string);
    if (longest > LONGEST_WORD || prefix->length > LONGEST_PREFIX) fail("tokenizer.json has a wrong model");
    tokenizer.unknown = piece->id;
    tokenizer.prefix = (Piece){prefix->string, (unsigned)prefix->length, 0};
    tokenizer.longest_word = (size_t)longest;
    tokenizer.word = need(prefix->length + tokenizer.longest_word * BYTES_OF_A_CHARACTER);
    return tokenizer;
}

/* Put the pieces of a word: always the longest that is known; the word is unknown where none is. */
static void put_word(Tokenizer *tokenizer, const uint32_t *points, size_t count, Ids *ids) {
    size_t before = ids->count, prefix = tokenizer->prefix.length;
    char *word = tokenizer->word + prefix, *end = word; /* before it there is room for the prefix */
    if (count > tokenizer->longest_word) {
        ids_put(ids, tokenizer->unknown);
        return;
    }
    for (size_t index = 0; index < count; index++) end = utf8_write(end, points[index]);
    for (char *start = word, *stop = end; start < end; start = stop, stop = end) {
        char *piece = start;
        if (start > word) {
            piece -= prefix;
            memcpy(piece, tokenizer->prefix.text, prefix); /* over characters that are done with */
        }
        const Piece *found = place_of(tokenizer, piece, (size_t)(stop - piece));
        while (!found->text) {
            do stop--;
            while (stop > start && ((unsigned char)*stop & 0xC0) == 0x80);
            if (stop == start) {
                ids->count = before;
                ids_put(ids, tokenizer->unknown);
                return;
            }
            found = place_of(tokenizer, piece, (size_t)(stop - piece));
        }
        ids_put(ids, found->id);
    }
}

/* Put the words of a part of a text that holds no added token. */
static void put_words(Tokenizer *tokenizer, const char *text, const char *end, size_t most, Ids *ids) {
    Points *points = &tokenizer->points;
    normalize(&tokenizer->normalizer, text, end, points);
    for (size_t start = 0, stop; start < points->count && ids->count < most; start = stop) {
        stop = start + 1;
        if (points->each[start] == ' ') continue;
        if (!is_punctuation(points->each[start])) {
            while (stop < points->count && points->each[stop] != ' ' && !is_punctuation(points->each[stop])) stop++;
        }
        put_word(tokenizer, points->each + start, stop - start, ids);
    }
}

static const Piece *added_at(const Tokenizer *tokenizer, const char *text, size_t length) {
    const Piece *longest = NULL;
    for (size_t index = 0; index < tokenizer->added_count; index++) {
        const Piece *each = &tokenizer->added[index];
        if (each->length > length || memcmp(each->text, text, each->length)) continue;
        if (!longest || each->length > longest->length) longest = each;
    }
    return longest;
}

void tokenizer_encode(Tokenizer *tokenizer, const char *text, size_t length, size_t most, Ids *ids) {
    const char *start = text, *end = text + length;
    for (const char *at = text; at < end && ids->count < most;) {
        const Piece *added = added_at(tokenizer, at, (size_t)(end - at));
        if (!added) {
            at++;
            continue;
        }
        put_words(tokenizer, start, at, most, ids);
        ids_put(ids, added->id);
        start = at += added->length;
    }
    put_words(tokenizer, start, end, most, ids);
}
