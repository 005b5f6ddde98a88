#include "verifiers/rational.h"

#include <gtest/gtest.h>

#include <string>

#include "verifiers/normalise.h"

namespace covrl {
namespace {

Rational value_of(const std::string& text) {
  const NumberResult result = parse_number(normalise(text));
  if (!result.number) {
    ADD_FAILURE() << text << " is no number";
    return -12345;
  }
  return result.number->value;
}

TEST(Rational, Literals) {
  EXPECT_EQ(value_of("042"), 42);
  EXPECT_EQ(value_of(".5"), Rational(1, 2));
  EXPECT_EQ(value_of("-1.25"), Rational(-5, 4));
  EXPECT_EQ(value_of("4.5e3"), 4500);
  EXPECT_EQ(value_of("1.65 \\times 10^{-2}"), Rational(165, 10000));
  EXPECT_EQ(value_of("0.\\overline{27}"), Rational(3, 11));
  EXPECT_EQ(value_of("1.8\\overline{3}"), Rational(11, 6));
}

TEST(Rational, FractionsAndMixedNumbers) {
  EXPECT_EQ(value_of("\\frac43"), Rational(4, 3));
  EXPECT_EQ(value_of("-\\dfrac{1}{2}"), Rational(-1, 2));
  EXPECT_EQ(value_of("{3 \\over 6}"), Rational(1, 2));
  EXPECT_EQ(value_of("1\\frac45"), Rational(9, 5));
  EXPECT_EQ(value_of("-1\\frac45"), Rational(-9, 5));
  EXPECT_EQ(value_of("6 3/4"), Rational(27, 4));
  EXPECT_EQ(value_of("8\\cdot\\frac{4}{7}"), Rational(32, 7));
}

TEST(Rational, Arithmetic) {
  EXPECT_EQ(value_of("87 - 7"), 80);
  EXPECT_EQ(value_of("2(3+4)/7"), 2);
  EXPECT_EQ(value_of("2 - 3 - 4"), -5);
  EXPECT_EQ(value_of("12/3/2"), 2);
  EXPECT_EQ(value_of("-2^2"), -4);
  EXPECT_EQ(value_of("(-2)^{-3}"), Rational(-1, 8));
  EXPECT_EQ(value_of("5!/3"), 40);
}

TEST(Rational, BigValuesAreExact) {
  EXPECT_NE(value_of("2^{-99}"), value_of("2^{-98}"));
  EXPECT_EQ(value_of("123456789012345678901234567890"),
            value_of("123456789012345678901234567890.0"));
  EXPECT_EQ(value_of("2004!/2003!"), 2004);
}

TEST(Rational, OtherTextIsNoNumber) {
  for (const char* text : {"", "x", "3x", "1/0", "2\\pi", "\\sqrt{4}", "2^{1/2}", "3, 4", "1..2",
                           "(1", "2\\frac{5}{3}", "\\frac{}{}", "1 2", "0^0"})
    EXPECT_EQ(parse_number(normalise(text)).fault, NumberFault::kNotANumber) << text;
}

TEST(Rational, WorkIsBounded) {
  std::string nested = "1";
  for (int i = 0; i < 500; ++i) nested = "(" + nested + ")";
  for (const std::string& text :
       {std::string("10^{10^{10}}"), std::string("((100!)!)!"), std::string("1e999999999"),
        std::string("2^{2^{2^{2^{2^{2}}}}}"), nested, std::string(100000, '7')})
    EXPECT_EQ(parse_number(text).fault, NumberFault::kTooBig) << text.substr(0, 30);
}

bool equal(const std::string& a, const std::string& b) {
  return numbers_equal(*parse_number(normalise(a)).number, *parse_number(normalise(b)).number);
}

TEST(Rational, LongDecimalsStandForExactValues) {
  EXPECT_TRUE(equal("3/7", "0.428571428571"));
  EXPECT_FALSE(equal("3/7", "0.43"));
  EXPECT_FALSE(equal("3/7", "0.428571428561"));
  EXPECT_FALSE(equal("0.428571428571", "0.428571428572"));
}

TEST(Rational, PercentIsItsNumberOrItsFraction) {
  EXPECT_TRUE(equal("28\\%", "28"));
  EXPECT_TRUE(equal("28 percent", "0.28"));
  EXPECT_TRUE(equal("4.8\\%", "4.8 \\text{ percent}"));
  EXPECT_FALSE(equal("28\\%", "0.28\\%"));
  EXPECT_FALSE(equal("28\\%", "2800"));
}

}  // namespace
}  // namespace covrl
