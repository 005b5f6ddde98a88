#include "data/tiny/families.h"

#include <array>
#include <string>

#include "core/error.h"

namespace covrl::tiny {
namespace {

using enum Operation;

const char* pick(Sequence& sequence, const std::vector<const char*>& words) {
  return words[sequence.below(words.size())];
}

const char* pick_thing(Sequence& sequence) {
  return pick(sequence, {"pens", "cups", "books", "hats", "balls", "cards", "caps", "toys"});
}

const char* pick_name(Sequence& sequence) {
  return pick(sequence, {"Mia", "Tom", "Ben", "Ana", "Sam", "Eva", "Max", "Zoe", "Leo", "Ida"});
}

std::array<const char*, 3> pick_three_names(Sequence& sequence) {
  std::array<const char*, 3> names{};
  names[0] = pick_name(sequence);
  do names[1] = pick_name(sequence);
  while (names[1] == names[0]);
  do names[2] = pick_name(sequence);
  while (names[2] == names[0] || names[2] == names[1]);
  return names;
}

Problem shopping(Sequence& s) {
  const char* name = pick_name(s);
  const char* thing = pick_thing(s);
  const int64_t count = s.between(2, 9), price = s.between(2, 9);
  const Step cost{"cost", number(count), kMultiply, number(price)};
  if (s.below(3) == 0) {
    const int64_t bag = s.between(2, 19);
    return make_problem(
        "shopping",
        concat(name, " buys ", count, " ", thing, " for ", price, " dollars each and a bag for ",
               bag, " dollars. How much does ", name, " pay?"),
        {cost, {"total", result_of(0), kAdd, number(bag)}});
  }
  const int64_t money = count * price + s.between(3, 30);
  const std::vector<Step> steps{cost, {"left", number(money), kSubtract, result_of(0)}};
  if (s.below(2) == 0)
    return make_problem(
        "shopping",
        concat(name, " buys ", count, " ", thing, " for ", price, " dollars each and pays with ",
               money, " dollars. How much change does ", name, " get?"),
        steps);
  return make_problem("shopping",
                      concat(name, " has ", money, " dollars and buys ", count, " ", thing, " for ",
                             price, " dollars each. How many dollars are left?"),
                      steps);
}

Problem ages(Sequence& s) {
  const auto [first, second, third] = pick_three_names(s);
  const int64_t gap = s.between(2, 9);
  if (s.below(2) == 0) {
    const int64_t age = s.between(2, 9), factor = s.between(2, 4);
    return make_problem(
        "ages",
        concat(first, " is ", age, " years old. ", second, " is ", gap, " years older. ", third,
               " is ", factor, " times as old as ", second, ". How old is ", third, "?"),
        {{"older", number(age), kAdd, number(gap)},
         {"times", number(factor), kMultiply, result_of(0)}});
  }
  const int64_t age = s.between(12, 40), years = s.between(2, 20);
  return make_problem("ages",
                      concat(first, " is ", age, " years old. ", second, " is ", gap,
                             " years younger. How old will ", second, " be in ", years, " years?"),
                      {{"younger", number(age), kSubtract, number(gap)},
                       {"later", result_of(0), kAdd, number(years)}});
}

Problem travel(Sequence& s) {
  const char* vehicle = pick(s, {"bus", "train", "truck", "boat"});
  const int64_t speed = s.between(3, 12), hours = s.between(2, 7);
  const Step way{"way", number(speed), kMultiply, number(hours)};
  if (s.below(2) == 0) {
    const int64_t more = s.between(3, 30);
    return make_problem("travel",
                        concat("A ", vehicle, " goes ", speed, " km an hour for ", hours,
                               " hours and then ", more, " km more. How far does it go?"),
                        {way, {"total", result_of(0), kAdd, number(more)}});
  }
  const int64_t route = speed * hours + s.between(3, 40);
  return make_problem("travel",
                      concat("A route is ", route, " km long. A ", vehicle, " goes ", speed,
                             " km an hour for ", hours, " hours. How many km are left?"),
                      {way, {"left", number(route), kSubtract, result_of(0)}});
}

Problem remainders(Sequence& s) {
  const char* name = pick_name(s);
  const char* thing = pick_thing(s);
  const int64_t size = s.between(3, 9), full = s.between(3, 9), rest = s.between(1, size - 1);
  const int64_t all = size * full + rest;
  const std::vector<Step> steps{{"packed", number(full), kMultiply, number(size)},
                                {"rest", number(all), kSubtract, result_of(0)}};
  if (s.below(2) == 0)
    return make_problem("remainders",
                        concat(name, " packs ", all, " ", thing, " into ", full, " boxes of ", size,
                               ". How many are left over?"),
                        steps);
  const int64_t more = s.between(2, 15);
  return make_problem("remainders",
                      concat(name, " packs ", all, " ", thing, " into ", full, " boxes of ", size,
                             " and then finds ", more, " more. How many are not packed?"),
                      {steps[0], steps[1], {"loose", result_of(1), kAdd, number(more)}});
}

Problem percentages(Sequence& s) {
  const int64_t percent = std::array<int64_t, 4>{10, 20, 25, 50}[s.below(4)];
  const int64_t unit = percent == 25 ? 4 : percent == 50 ? 2 : 10;
  const int64_t whole = unit * s.between(percent < 25 ? 1 : 5, 100 / unit);
  const Step part{"part", number(percent), kPercent, number(whole)};
  if (s.below(2) == 0) {
    const char* name = pick_name(s);
    return make_problem("percentages",
                        concat(name, " has ", whole, " ", pick_thing(s), " and sells ", percent,
                               " percent of them. How many are left?"),
                        {part, {"left", number(whole), kSubtract, result_of(0)}});
  }
  return make_problem("percentages",
                      concat("A ticket costs ", whole, " dollars. The price goes up by ", percent,
                             " percent. What is the new price?"),
                      {part, {"price", number(whole), kAdd, result_of(0)}});
}

Problem sequences(Sequence& s) {
  const int64_t jump = s.between(2, 9), index = s.between(4, 10);
  const Step jumps{"jumps", number(index), kSubtract, number(1)};
  const Step change{"change", result_of(0), kMultiply, number(jump)};
  if (s.below(2) == 0) {
    const int64_t start = s.between(1, 25);
    return make_problem("sequences",
                        concat("A list starts at ", start, " and goes up by ", jump,
                               " each time. What is number ", index, " of the list?"),
                        {jumps, change, {"value", number(start), kAdd, result_of(1)}});
  }
  const int64_t start = (index - 1) * jump + s.between(1, 20);
  return make_problem("sequences",
                      concat("A list starts at ", start, " and goes down by ", jump,
                             " each time. What is number ", index, " of the list?"),
                      {jumps, change, {"value", number(start), kSubtract, result_of(1)}});
}

Problem means(Sequence& s) {
  const char* name = pick_name(s);
  if (s.below(2) == 0) {
    const int64_t first = s.between(1, 20), second = s.between(1, 20);
    int64_t third = s.between(1, 20);
    third += (3 - (first + second + third) % 3) % 3;
    return make_problem(
        "means",
        concat(name, " gets ", first, ", ", second, " and ", third, " points. What is the mean?"),
        {{"pair", number(first), kAdd, number(second)},
         {"total", result_of(0), kAdd, number(third)},
         {"mean", result_of(1), kDivide, number(3)}});
  }
  const int64_t games = s.between(2, 8), mean = s.between(3, 9), last = s.between(2, 20);
  return make_problem("means",
                      concat(name, " gets a mean of ", mean, " points in ", games,
                             " games and then ", last, " points. How many points are that in all?"),
                      {{"before", number(games), kMultiply, number(mean)},
                       {"total", result_of(0), kAdd, number(last)}});
}

Problem work(Sequence& s) {
  const char* thing = pick_thing(s);
  if (s.below(2) == 0) {
    const int64_t rate = s.between(3, 12), minutes = s.between(2, 7);
    const int64_t broken = s.between(2, rate * minutes - 3 > 15 ? 15 : rate * minutes - 3);
    return make_problem("work",
                        concat("A machine makes ", rate, " ", thing, " a minute for ", minutes,
                               " minutes. Of these ", broken, " are broken. How many are good?"),
                        {{"made", number(rate), kMultiply, number(minutes)},
                         {"good", result_of(0), kSubtract, number(broken)}});
  }
  const int64_t first = s.between(1, 6), second = s.between(1, 6), hours = s.between(2, 7);
  const auto names = pick_three_names(s);
  return make_problem("work",
                      concat(names[0], " makes ", first, " ", thing, " an hour and ", names[1],
                             " makes ", second, ". How many do both make in ", hours, " hours?"),
                      {{"both", number(first), kAdd, number(second)},
                       {"made", result_of(0), kMultiply, number(hours)}});
}

Problem geometry(Sequence& s) {
  const char* place = pick(s, {"garden", "field", "yard", "park"});
  if (s.below(2) == 0) {
    const int64_t length = s.between(4, 30), width = s.between(3, 18);
    return make_problem("geometry",
                        concat("A ", place, " is ", length, " m long and ", width,
                               " m wide. How long is the fence around it?"),
                        {{"half", number(length), kAdd, number(width)},
                         {"fence", number(2), kMultiply, result_of(0)}});
  }
  const int64_t length = s.between(4, 12), width = s.between(3, 8), pond = s.between(2, 9);
  return make_problem("geometry",
                      concat("A ", place, " is ", length, " m long and ", width,
                             " m wide. A pond covers ", pond, " square m of it. How much is left?"),
                      {{"area", number(length), kMultiply, number(width)},
                       {"left", result_of(0), kSubtract, number(pond)}});
}

Problem units(Sequence& s) {
  if (s.below(2) == 0) {
    const int64_t weeks = s.between(2, 12), days = s.between(1, 6);
    return make_problem(
        "units",
        concat("A trip takes ", weeks, " weeks and ", days, " days. How many days are that?"),
        {{"weeks", number(weeks), kMultiply, number(7)},
         {"days", result_of(0), kAdd, number(days)}});
  }
  const char* name = pick_name(s);
  const int64_t dozens = s.between(2, 8), eaten = s.between(2, 11);
  return make_problem(
      "units",
      concat(name, " buys ", dozens, " dozen eggs and eats ", eaten, ". How many eggs are left?"),
      {{"eggs", number(dozens), kMultiply, number(12)},
       {"left", result_of(0), kSubtract, number(eaten)}});
}

}  // namespace

const std::vector<Family>& families() {
  static const std::vector<Family> all{
      {"shopping", Domain::kMain, 0.55, shopping},
      {"ages", Domain::kMain, 0.40, ages},
      {"travel", Domain::kMain, 0.55, travel},
      {"remainders", Domain::kMain, 0.40, remainders},
      {"percentages", Domain::kMain, 0.55, percentages},
      {"sequences", Domain::kMain, 0.40, sequences},
      {"means", Domain::kMain, 0.55, means},
      {"work", Domain::kMain, 0.40, work},
      {"geometry", Domain::kCross, 0.55, geometry},
      {"units", Domain::kCross, 0.40, units},
  };
  return all;
}

}  // namespace covrl::tiny
