/* A tiny external delegate: it takes the operators that its option "take" lists by number
 * (schema.fbs, BuiltinOperator), and copies the input that is as large as the output: a RESHAPE.
 * Option "fail": it takes them, and then its kernel cannot be prepared.
 * The structures are those of LiteRT's C interface (tflite/core/c/common.h), as far as needed. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { OK = 0, ERROR = 1 };

typedef struct { int size; int data[]; } IntArray;
typedef struct {
  int type; void* data; IntArray* dims; float scale; int32_t zero_point; int allocation;
  size_t bytes;
  void *mapped, *name, *delegate;
  int handle; bool stale, variable;
  int quantization_type; void* quantization; void *sparsity, *dims_signature;
} Tensor;
typedef struct { IntArray *inputs, *outputs; } Node;
typedef struct Context Context;
typedef struct Delegate Delegate;
typedef struct {
  void* (*init)(Context*, const char*, size_t);
  void (*free)(Context*, void*);
  int (*prepare)(Context*, Node*);
  int (*invoke)(Context*, Node*);
  const char* (*profiling_string)(const Context*, const Node*);
  int32_t builtin_code;
  const char* custom_name;
  int version;
  void *external, *async, *reserved[4]; /* longer than any version's: passed by value */
} Registration;
struct Context {
  size_t tensors_size;
  int (*execution_plan)(Context*, IntArray**);
  Tensor* tensors;
  void* impl;
  int (*resize)(Context*, Tensor*, IntArray*);
  void (*report)(Context*, const char*, ...);
  int (*add_tensors)(Context*, int, int*);
  int (*node_and_registration)(Context*, int, Node**, Registration**);
  int (*replace)(Context*, Registration, const IntArray*, Delegate*);
};
struct Delegate {
  void* data;
  int (*prepare)(Context*, Delegate*);
  void *from_handle, *to_handle, *free_handle;
  int64_t flags;
  void* builder;
};
typedef struct { bool fail; int count, take[16]; } Choice;

static bool failing;

static int kernel_prepare(Context* context, Node* node) { return failing ? ERROR : OK; }

static int kernel_invoke(Context* context, Node* node) {
  Tensor* out = &context->tensors[node->outputs->data[0]];
  for (int i = 0; i < node->inputs->size; ++i) { /* in the order of their numbers, constants too */
    Tensor* in = &context->tensors[node->inputs->data[i]];
    if (in->bytes == out->bytes) memcpy(out->data, in->data, out->bytes);
  }
  return OK;
}

static int delegate_prepare(Context* context, Delegate* delegate) {
  Choice* choice = delegate->data;
  IntArray* plan;
  if (context->execution_plan(context, &plan) != OK) return ERROR;
  IntArray* taken = calloc(1, sizeof(int) * (plan->size + 1));
  for (int i = 0; i < plan->size; ++i) {
    Node* node;
    Registration* registration;
    if (context->node_and_registration(context, plan->data[i], &node, &registration) != OK) return ERROR;
    for (int k = 0; k < choice->count; ++k)
      if (registration->builtin_code == choice->take[k]) taken->data[taken->size++] = plan->data[i];
  }
  Registration kernel = {.prepare = kernel_prepare, .invoke = kernel_invoke, .custom_name = "Copier", .version = 1};
  failing = choice->fail;
  int status = context->replace(context, kernel, taken, delegate);
  free(taken);
  return status;
}

Delegate* tflite_plugin_create_delegate(char** keys, char** values, size_t count, void (*report)(const char*)) {
  Choice* choice = calloc(1, sizeof(Choice));
  for (size_t i = 0; i < count; ++i) {
    if (!strcmp(keys[i], "fail")) choice->fail = true;
    else if (!strcmp(keys[i], "take"))
      for (char* word = strtok(values[i], ","); word; word = strtok(NULL, ",")) choice->take[choice->count++] = atoi(word);
    else { report("unknown option"); return NULL; }
  }
  Delegate* delegate = calloc(1, sizeof(Delegate));
  delegate->data = choice;
  delegate->prepare = delegate_prepare;
  return delegate;
}

void tflite_plugin_destroy_delegate(Delegate* delegate) {
  if (!delegate) return;
  free(delegate->data);
  free(delegate);
}
