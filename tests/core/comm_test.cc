#include "core/comm.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace covrl {
namespace {

// The tests of several ranks are in tests/distributed.
TEST(CommTest, OneProcessIsItsOwnWorld) {
  const auto comm = make_world_communicator();
  EXPECT_EQ(comm->size(), 1);
  EXPECT_TRUE(comm->is_root());
  EXPECT_EQ(num_local_processes(), 1);
  std::vector<double> values = {1.5, -2};
  comm->all_reduce_sum(std::span(values));
  comm->all_reduce_max(std::span(values));
  EXPECT_EQ(values, (std::vector<double>{1.5, -2}));
  EXPECT_EQ(comm->broadcast_string("text"), "text");
  const std::vector<std::byte> data = {std::byte{1}, std::byte{2}};
  EXPECT_EQ(comm->all_gather(data), std::vector<std::vector<std::byte>>{data});
  EXPECT_EQ(comm->split(3)->size(), 1);
  EXPECT_THROW(comm->broadcast(std::span<std::byte>(), 1), Error);
  EXPECT_THROW(comm->split(-1), Error);
}

}  // namespace
}  // namespace covrl
