// Whether two answers say the same.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "verifiers/canonical.h"
#include "verifiers/expression.h"
#include "verifiers/math_policy.h"

namespace covrl::math {

// Compares the answers of one verification. Structures part by part: lists and sets in any order,
// with multiplicity; tuples and matrices in order; intervals, unions and inequalities as sets of
// reals; equations up to a factor. Values exactly where they have an exact form, else at points.
// Throws OverBudget.
class Comparer {
 public:
  Comparer(const MathPolicy& policy, Arena& arena, WorkBudget& budget)
      : policy_(policy), arena_(arena), budget_(budget), exact_(budget) {}

  bool equal(const Node& gold, const Node& answer);

  // How values were compared: "exactly", "at 5 points", ...
  const std::string& how() const { return how_; }
  // Whether some values could not be told apart or shown equal.
  bool undecided() const { return undecided_; }

  // What a relation assigns to a name, and the name; nullptr when it assigns nothing.
  struct Assignment {
    const Node* name = nullptr;
    const Node* value = nullptr;
  };

 private:
  using Nodes = std::vector<const Node*>;

  // compare.cc: lists and structures.
  Nodes elements(const Node& node);
  bool same_elements(const Nodes& gold, const Nodes& answer);
  bool equal_elements(const Node& gold, const Node& answer);
  bool equal_structures(const Node& gold, const Node& answer);
  bool equal_tuples(const Node& gold, const Node& answer);
  bool equal_matrices(const Node& gold, const Node& answer);
  bool equal_ratios(const Node& gold, const Node& answer);
  bool equal_times(const Node& gold, const Node& answer);
  bool equal_quantities(const Node& gold, const Node& answer);
  const Node* as_matrix(const Node& node);
  const Node* as_rows(const Node& node);
  std::map<std::string, const Node*> named_values(const Node& node);
  std::optional<bool> equal_named(const Node& gold, const Node& answer);
  const Node* product(const Node& a, const Node& b);

  // compare_values.cc
  bool equal_values(const Node& gold, const Node& answer);
  bool equal_numbers(const Node& gold, const Node& answer);
  bool equal_exactly(const Node& gold, const Node& answer, bool& decided);
  enum class Bound { kClosed, kOpen };
  bool within(const Node& node, const mpq_class& value, const mpq_class& tolerance, Bound bound);
  bool stands_for(const Node& decimal, const Node& exact);
  bool rounds_to(const Node& gold, const Node& answer);

  // compare_relations.cc
  bool equal_relations(const Node& gold, const Node& answer);
  bool equal_equations(const Node& gold, const Node& answer);
  bool equal_inequalities(const Node& gold, const Node& answer);
  bool equal_congruences(const Node& gold, const Node& answer);
  bool value_of_relation_equals(const Node& relation, const Node& value, bool relation_is_gold);
  const Node* value_in_letter_of(const Node& gold, const Node& answer);
  bool states_quantity(const Node& relation, const Node& gold);
  bool is_impossible(const Assignment& assigned);
  std::optional<mpq_class> ratio_of_differences(const Node& gold, const Node& answer);
  const Node* difference(const Node& a, const Node& b);
  size_t num_exact_sides(const Node& relation);

  // compare_regions.cc: sets of reals.
  struct Piece {
    const Node* low = nullptr;  // nullptr: unbounded
    const Node* high = nullptr;
    bool low_closed = false, high_closed = false;
  };
  struct Region {
    std::vector<Piece> pieces;
    std::string variable;  // of an inequality
  };
  std::optional<Region> region(const Node& node);
  std::optional<Region> region_of_relation(const Node& node);
  std::optional<Region> region_of_list(const Node& node);
  std::optional<Region> joined(const Nodes& nodes);
  std::optional<Region> region_of_distance(const Node& node);
  std::optional<Region> all_at_once(const Nodes& nodes);
  std::optional<Region> common(const Nodes& nodes);
  std::optional<Region> without(const Node& all, const Node& removed);
  std::optional<Region> intersection(const Region& a, const Region& b);
  std::optional<Region> complement(Region region);
  bool equal_regions(Region gold, Region answer);
  bool merge(Region& region);
  bool equal_pieces(const Piece& gold, const Piece& answer);

  const MathPolicy& policy_;
  Arena& arena_;
  WorkBudget& budget_;
  Canonicalizer exact_;
  std::string how_ = "by their form";
  bool undecided_ = false;
};

// `x`, `f(x)`, `AB`, `(x, y)`, `\angle ABC`: what a value may be assigned to.
bool is_name(const Node& node, const Node& value);
// x of x_1, theta of \theta_1.
std::string_view letter_of(const Node& symbol);
bool is_inequality(const Node& node);
// A relation of equal signs alone.
bool is_equation(const Node& node);
// By its brackets or its ends an interval, and no point.
bool is_sure_interval(const Node& node);
// S of A - S where S is a set in braces; nullptr for all else.
const Node* removed_set(const Node& node);
// infinity: 1 or -1; else 0.
int infinity_sign(const Node& node);

}  // namespace covrl::math
