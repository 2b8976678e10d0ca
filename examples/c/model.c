#include "model.h"

#include <onnxruntime_c_api.h>
#include <stdio.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "common.h"

enum { INPUTS = 2 };

struct Model {
    const OrtApi *api;
    OrtSession *session;
    OrtMemoryInfo *memory;
    const char *inputs[INPUTS];
    size_t input_count;
};

static void check(const OrtApi *api, OrtStatus *status) {
    if (status) fail("ONNX Runtime: %s", api->GetErrorMessage(status));
}

static void read_inputs(Model *model, const Json *inputs) {
    for (const Json *each = inputs->first; each; each = each->next) {
        if (model->input_count == INPUTS || !(json_is(each, "name", "input_ids") || json_is(each, "name", "attention_mask"))) {
            fail("the model has an input %s, which this program does not know", json_string(each, "name"));
        }
        if (!json_is(each, "type", "int64")) fail("the model's inputs are not int64");
        model->inputs[model->input_count++] = json_string(each, "name");
    }
}

/* One thread, and nothing kept between runs: an arena would hold the memory of the longest text for good. */
static OrtSessionOptions *make_options(const OrtApi *api, const Json *settings) {
    OrtSessionOptions *options;
    check(api, api->CreateSessionOptions(&options));
    check(api, api->SetIntraOpNumThreads(options, 1));
    check(api, api->SetInterOpNumThreads(options, 1));
    check(api, api->DisableCpuMemArena(options));
    check(api, api->DisableMemPattern(options));
    for (const Json *each = settings->first; each; each = each->next) { /* they change answers */
        check(api, api->AddSessionConfigEntry(options, each->name, json_string(settings, each->name)));
    }
    return options;
}

/* From now on memory of so many bytes goes back to the system as soon as it is free. */
static void give_back_from(int bytes) {
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, bytes);
#else
    (void)bytes;
#endif
}

Model *model_open(const char *folder, const char *name, const Json *entry) {
    char path[4096];
    Model *model = need(sizeof *model);
    memset(model, 0, sizeof *model);
    const OrtApi *api = model->api = OrtGetApiBase()->GetApi(ORT_API_VERSION);
    if (!api) fail("ONNX Runtime %s is older than this program's header of it", OrtGetApiBase()->GetVersionString());
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) fail("the bundle's path is too long");
    read_inputs(model, json_get(entry, "inputs", JSON_ARRAY));
    OrtEnv *env;
    check(api, api->CreateEnv(ORT_LOGGING_LEVEL_FATAL, "sentiment", &env)); /* errors come as a status */
    OrtSessionOptions *options = make_options(api, json_get(entry, "settings", JSON_OBJECT));
    give_back_from(1 << 16); /* loading needs much for a moment, at most a few times */
    check(api, api->CreateSession(env, path, options, &model->session));
    give_back_from(1 << 22); /* runs are quicker with memory that they had before */
    api->ReleaseSessionOptions(options);
    check(api, api->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &model->memory));
    return model;
}

static void copy_logits(const OrtApi *api, OrtValue *value, float *logits, size_t count) {
    OrtTensorTypeAndShapeInfo *info;
    ONNXTensorElementDataType type;
    size_t found;
    float *numbers;
    check(api, api->GetTensorTypeAndShape(value, &info));
    check(api, api->GetTensorShapeElementCount(info, &found));
    check(api, api->GetTensorElementType(info, &type));
    api->ReleaseTensorTypeAndShapeInfo(info);
    if (found != count || type != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) fail("the model does not give a logit for each label");
    check(api, api->GetTensorMutableData(value, (void **)&numbers));
    memcpy(logits, numbers, count * sizeof *logits);
}

void model_run(Model *model, int64_t *ids, int64_t *mask, size_t rows, size_t width, float *logits, size_t classes) {
    static const char *const outputs[] = {"logits"};
    const OrtApi *api = model->api;
    const int64_t shape[] = {(int64_t)rows, (int64_t)width};
    OrtValue *values[INPUTS] = {NULL}, *found = NULL;
    for (size_t index = 0; index < model->input_count; index++) {
        int64_t *data = strcmp(model->inputs[index], "input_ids") ? mask : ids;
        check(api, api->CreateTensorWithDataAsOrtValue(model->memory, data, rows * width * sizeof *data, shape, 2,
                                                       ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, &values[index]));
    }
    check(api, api->Run(model->session, NULL, model->inputs, (const OrtValue *const *)values, model->input_count, outputs, 1,
                        &found));
    copy_logits(api, found, logits, rows * classes);
    api->ReleaseValue(found);
    for (size_t index = 0; index < model->input_count; index++) api->ReleaseValue(values[index]);
}
