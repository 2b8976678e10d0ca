/* `sentiment BUNDLE < lines` labels lines of text; `sentiment --golden BUNDLE` proves itself by the bundle's golden outputs. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "bundle.h"
#include "common.h"

typedef struct {
    size_t rows, ids_wrong, labels_wrong;
    double largest_difference, seconds;
} Result;

static size_t best_of(const double *numbers, size_t count) {
    size_t best = 0;
    for (size_t index = 1; index < count; index++) {
        if (numbers[index] > numbers[best]) best = index;
    }
    return best;
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void close_output(void) {
    if (fflush(stdout) || ferror(stdout)) fail("output: %s", strerror(errno));
}

static void label_lines(Bundle *bundle) {
    char *line = NULL;
    size_t room = 0;
    Ids ids = {0};
    float *logits = need(bundle->classes * sizeof *logits);
    double *scores = need(bundle->classes * sizeof *scores);
    for (ssize_t length; (length = getline(&line, &room, stdin)) >= 0;) {
        if (length && line[length - 1] == '\n') length--;
        if (length && line[length - 1] == '\r') length--;
        bundle_ids(bundle, line, (size_t)length, &ids);
        bundle_logits(bundle, &ids, logits);
        bundle_probabilities(bundle, logits, scores);
        size_t best = best_of(scores, bundle->classes);
        if (printf("%s\t%.4f\n", bundle->labels[best], scores[best]) < 0) close_output();
    }
    if (ferror(stdin)) fail("input: %s", strerror(errno));
    close_output();
}

static bool same_ids(const Ids *ids, const Json *wanted) {
    if (ids->count != wanted->count) return false;
    const Json *each = wanted->first;
    for (size_t index = 0; index < ids->count; index++, each = each->next) {
        if (each->kind != JSON_NUMBER || each->number != (double)ids->each[index]) return false;
    }
    return true;
}

static void prove_row(Bundle *bundle, const Json *row, const char *key, Result *result) {
    static Ids ids;
    const Json *text = json_get(row, "text", JSON_STRING), *wanted = json_get(row, key, JSON_ARRAY);
    size_t classes = bundle->classes;
    if (wanted->count != classes) fail("golden.jsonl has another number of labels than the bundle");
    float *logits = need(classes * sizeof *logits);
    double *pairs = need(2 * classes * sizeof *pairs), began = seconds_now();
    bundle_ids(bundle, text->string, text->length, &ids);
    bundle_logits(bundle, &ids, logits);
    result->seconds += seconds_now() - began;
    const Json *each = wanted->first;
    for (size_t label = 0; label < classes; label++, each = each->next) {
        pairs[label] = logits[label];
        pairs[classes + label] = each->number;
        if (!isfinite(logits[label])) fail("the model's answer to a golden text is not a number");
        result->largest_difference = fmax(result->largest_difference, fabs(logits[label] - each->number));
    }
    result->rows++;
    result->ids_wrong += !same_ids(&ids, json_get(row, "ids", JSON_ARRAY));
    result->labels_wrong += best_of(pairs, classes) != best_of(pairs + classes, classes);
    free(logits);
    free(pairs);
}

static void prove(Bundle *bundle, const char *folder) {
    size_t length;
    char *golden = read_file(folder, "golden.jsonl", &length), *end = golden + length;
    const Json *engine = json_get(bundle->manifest, "engines", JSON_OBJECT)->first;
    const char *key = engine && !strcmp(engine->name, "onnxruntime") ? "logits" : "logits_onnxruntime";
    Result result = {0};
    for (char *line = golden, *stop; line < end; line = stop + 1) {
        stop = memchr(line, '\n', (size_t)(end - line));
        if (!stop) fail("golden.jsonl ends within a line");
        *stop = '\0';
        JsonText row = json_read(line, (size_t)(stop - line), "golden.jsonl");
        prove_row(bundle, row.root, key, &result);
        json_free(&row);
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"rows\":%zu,\"ids_wrong\":%zu,\"labels_wrong\":%zu,", result.rows, result.ids_wrong, result.labels_wrong);
    printf("\"largest_difference\":%.9g,\"seconds\":%.6f,", result.largest_difference, result.seconds);
    printf("\"peak_mb\":%.1f}\n", (double)usage.ru_maxrss / 1024); /* Linux counts it in kilobytes */
    close_output();
}

int main(int count, char **arguments) {
    bool golden = count == 3 && !strcmp(arguments[1], "--golden");
    if (count != 2 && !golden) fail("which bundle? sentiment BUNDLE < lines, or sentiment --golden BUNDLE");
    Bundle bundle = bundle_open(arguments[count - 1]);
    if (golden) prove(&bundle, arguments[2]);
    else label_lines(&bundle);
    return 0;
}
