/* A bundle's model in ONNX Runtime. */
#ifndef MODEL_H
#define MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "json.h"

typedef struct Model Model;

/* Load FOLDER/NAME, with the entry that the manifest has of it under `models`. */
Model *model_open(const char *folder, const char *name, const Json *entry);

/* Run texts padded to one width, and put the logits of each into logits, which has room for so many classes a row. */
void model_run(Model *model, int64_t *ids, int64_t *mask, size_t rows, size_t width, float *logits, size_t classes);

#endif
