/* A bundle, run as docs/bundle-format.md describes under "In another language". */
#ifndef BUNDLE_H
#define BUNDLE_H

#include <stdbool.h>

#include "json.h"
#include "model.h"
#include "wordpiece.h"

typedef struct {
    const Json *manifest;
    const char **labels;
    size_t classes, rows, max_length;
    int64_t pad_id;
    bool plain, unpadded, sigmoid;
    Tokenizer tokenizer;
    Model *model;
} Bundle;

/* Open a bundle; the program ends where it cannot be. */
Bundle bundle_open(const char *folder);

/* The tokens of a text as the model reads them: truncated, not padded. */
void bundle_ids(Bundle *bundle, const char *text, size_t length, Ids *ids);

/* The logits of one text, a number for each label. */
void bundle_logits(Bundle *bundle, const Ids *ids, float *logits);

/* Make logits probabilities. */
void bundle_probabilities(const Bundle *bundle, const float *logits, double *probabilities);

#endif
