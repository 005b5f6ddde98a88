// Generated documentation is checked in: it must be today's.
#include <gtest/gtest.h>

#include "core/jsonl.h"
#include "tests/support/paths.h"
#include "tests/support/run_program.h"

namespace covrl::testing {
namespace {

TEST(Docs, ConfigReferenceIsTodays) {
  const ProgramResult train = run_covrl({"config", "--docs"}),
                      sft = run_covrl({"config", "--docs", "--command", "sft"}),
                      sweep = run_covrl({"config", "--docs", "--command", "sweep"});
  ASSERT_EQ(train.status, 0) << train.err;
  ASSERT_EQ(sft.status, 0) << sft.err;
  ASSERT_EQ(sweep.status, 0) << sweep.err;
  const std::string wanted = "# Configuration of `covrl train`\n\n" + train.out +
                             "\n# Configuration of `covrl sft`\n\n" + sft.out +
                             "\n# Configuration of `covrl sweep`\n\n" + sweep.out;
  EXPECT_EQ(read_file(source_path("docs/config.md")), wanted)
      << "run scripts/make_docs.sh and commit docs/config.md";
}

}  // namespace
}  // namespace covrl::testing
