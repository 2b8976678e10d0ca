#include "bundle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

enum { NEWEST = 2, LONGEST = 65536, MOST_ROWS = 4096 }; /* the format_version that is known, and the format's limits */

static JsonText read_json(const char *folder, const char *name) {
    size_t length;
    char *text = read_file(folder, name, &length); /* its strings are kept until the program ends */
    return json_read(text, length, name);
}

static void check_version(const Json *manifest) {
    int version = json_whole(manifest, "format_version");
    if (version > NEWEST) fail("format_version %d is newer than this program, which knows %d at most", version, NEWEST);
}

static void read_labels(Bundle *bundle) {
    const Json *labels = json_get(bundle->manifest, "labels", JSON_ARRAY);
    if (!labels->count) fail("the bundle has no labels");
    bundle->labels = need(labels->count * sizeof *bundle->labels);
    for (const Json *each = labels->first; each; each = each->next) {
        if (each->kind != JSON_STRING) fail("the bundle has a label that is not a string");
        bundle->labels[bundle->classes++] = each->string;
    }
}

Bundle bundle_open(const char *folder) {
    const Json *manifest = read_json(folder, "manifest.json").root;
    check_version(manifest);
    const Json *batch = json_find(manifest, "batch");
    Bundle bundle = {
        .manifest = manifest,
        .rows = batch && batch->kind == JSON_NUMBER ? (size_t)json_whole(manifest, "batch") : 1,
        .max_length = (size_t)json_whole(manifest, "max_length"),
        .pad_id = json_whole(manifest, "pad_id"),
        .plain = json_is(manifest, "truncation", "plain"),
        .unpadded = json_is(manifest, "padding", "unpadded"),
        .sigmoid = json_is(manifest, "activation", "sigmoid"),
    };
    if (!bundle.rows || bundle.rows > MOST_ROWS || !bundle.max_length || bundle.max_length > LONGEST) {
        fail("the bundle has a wrong batch or max_length");
    }
    read_labels(&bundle);
    JsonText tokenizer = read_json(folder, "tokenizer.json");
    bundle.tokenizer = tokenizer_open(tokenizer.root);
    json_free(&tokenizer); /* megabytes that the model will need */
    const Json *entry = json_get(json_get(manifest, "models", JSON_OBJECT), "onnxruntime", JSON_OBJECT);
    bundle.model = model_open(folder, json_string(json_get(manifest, "engines", JSON_OBJECT), "onnxruntime"), entry);
    return bundle;
}

static void put_special(Ids *ids, const Json *tokens) {
    for (const Json *each = tokens->first; each; each = each->next) ids_put(ids, json_int(each, "special_tokens"));
}

void bundle_ids(Bundle *bundle, const char *text, size_t length, Ids *ids) {
    const Json *special = json_get(bundle->manifest, "special_tokens", JSON_OBJECT);
    const Json *after = json_get(special, "after", JSON_ARRAY);
    size_t room = bundle->plain ? bundle->max_length : bundle->max_length - after->count;
    if (after->count > bundle->max_length) fail("the bundle has more special_tokens than the model reads");
    ids->count = 0;
    put_special(ids, json_get(special, "before", JSON_ARRAY));
    tokenizer_encode(&bundle->tokenizer, text, length, bundle->max_length, ids);
    if (ids->count > room) ids->count = room;
    put_special(ids, after);
    if (ids->count > bundle->max_length) ids->count = bundle->max_length;
}

/* The width that a text is padded to: the least of `lengths` that is enough. */
static size_t width_of(const Bundle *bundle, size_t count) {
    if (bundle->unpadded) return count;
    const Json *length = json_get(bundle->manifest, "lengths", JSON_ARRAY)->first;
    while (length && (size_t)json_int(length, "lengths") < count) length = length->next;
    if (!length || json_int(length, "lengths") > LONGEST) fail("the bundle has wrong lengths");
    return (size_t)json_int(length, "lengths");
}

void bundle_logits(Bundle *bundle, const Ids *ids, float *logits) {
    if (!ids->count) fail("the tokenizer finds no token in a text");
    size_t rows = bundle->rows, width = width_of(bundle, ids->count);
    int64_t *padded = need(2 * rows * width * sizeof *padded), *mask = padded + rows * width;
    for (size_t index = 0; index < rows * width; index++) { /* every row holds the text: the model takes so many at once */
        size_t column = index % width;
        mask[index] = column < ids->count;
        padded[index] = mask[index] ? ids->each[column] : bundle->pad_id;
    }
    float *found = need(rows * bundle->classes * sizeof *found);
    model_run(bundle->model, padded, mask, rows, width, found, bundle->classes);
    memcpy(logits, found, bundle->classes * sizeof *logits);
    free(found);
    free(padded);
}

void bundle_probabilities(const Bundle *bundle, const float *logits, double *probabilities) {
    double largest = logits[0], sum = 0;
    for (size_t label = 0; label < bundle->classes; label++) largest = fmax(largest, logits[label]);
    for (size_t label = 0; label < bundle->classes; label++) {
        probabilities[label] = bundle->sigmoid ? 1 / (1 + exp(-logits[label])) : exp(logits[label] - largest);
        sum += probabilities[label];
    }
    for (size_t label = 0; label < bundle->classes && !bundle->sigmoid; label++) probabilities[label] /= sum;
}
