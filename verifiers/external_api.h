/* The C interface of a verifier in a shared object (verifier external_library).
 *
 * The object exports two functions with C linkage: covrl_external_version(), and the one that the
 * configuration names, of type covrl_external_function. That one is called from several threads at
 * once, must not throw, and is bounded in time by nothing but itself: what may hang or crash
 * belongs in a process (external_process). docs/examples/external_verifier.c is a complete example.
 */
#ifndef COVRL_VERIFIERS_EXTERNAL_API_H
#define COVRL_VERIFIERS_EXTERNAL_API_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define COVRL_EXTERNAL_VERSION 1

/* UTF-8 as the model wrote it, perhaps broken; not ended by a zero, and may hold some. */
typedef struct covrl_text {
  const char* data;
  size_t size;
} covrl_text;

/* The arguments of verl's compute_score; valid during the call only. */
typedef struct covrl_external_request {
  covrl_text data_source;
  covrl_text solution; /* the completion, never the prompt */
  covrl_text ground_truth;
  covrl_text extra_info; /* JSON object of the row; empty: none */
  covrl_text options;    /* verifier.external_library.options */
} covrl_external_request;

enum {
  COVRL_CORRECT = 0,
  COVRL_WRONG = 1,
  COVRL_UNPARSED = 2, /* no answer found */
  COVRL_FAILED = 3    /* could not be judged: masked out, never a zero */
};

#define COVRL_EXTRACTED_CAPACITY 1024

typedef struct covrl_external_result {
  double score;                             /* finite; the reward */
  int32_t outcome;                          /* COVRL_CORRECT ...; COVRL_FAILED before the call */
  size_t extracted_size;                    /* bytes of the answer found; 0: none */
  char extracted[COVRL_EXTRACTED_CAPACITY]; /* longer answers are cut */
} covrl_external_result;

/* Returns COVRL_EXTERNAL_VERSION, as the object was compiled with it. */
uint32_t covrl_external_version(void);

typedef void (*covrl_external_function)(const covrl_external_request* request,
                                        covrl_external_result* result);

#ifdef __cplusplus
}
#endif

#endif
