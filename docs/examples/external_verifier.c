/* A verifier of one's own in a shared object: the last word of the solution must be the ground truth.
 *
 *   cc -shared -fPIC -O2 -I. docs/examples/external_verifier.c -o external_verifier.so
 *   covrl verify --input completions.jsonl --verifier external_library \
 *     verifier.external_library.path=external_verifier.so verifier.external_library.function=last_word */
#include <string.h>

#include "verifiers/external_api.h"

uint32_t covrl_external_version(void) { return COVRL_EXTERNAL_VERSION; }

void last_word(const covrl_external_request* request, covrl_external_result* result) {
  const covrl_text solution = request->solution, truth = request->ground_truth;
  size_t end = solution.size;
  while (end > 0 && strchr(" \n.", solution.data[end - 1])) --end;
  size_t begin = end;
  while (begin > 0 && !strchr(" \n", solution.data[begin - 1])) --begin;
  const size_t size = end - begin;
  const int right = size == truth.size && memcmp(solution.data + begin, truth.data, size) == 0;
  result->outcome = size == 0 ? COVRL_UNPARSED : right ? COVRL_CORRECT : COVRL_WRONG;
  result->score = right;
  result->extracted_size = size < COVRL_EXTRACTED_CAPACITY ? size : COVRL_EXTRACTED_CAPACITY;
  memcpy(result->extracted, solution.data + begin, result->extracted_size);
}
