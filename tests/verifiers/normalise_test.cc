#include "verifiers/normalise.h"

#include <gtest/gtest.h>

#include <string>

namespace covrl {
namespace {

std::string value(const std::string& text) {
  const std::string normal = normalise(text);
  return comparison_key(without_unit(without_assignment(normal)));
}

TEST(Normalise, DecorationGoes) {
  for (const char* text : {"$5$",
                           "\\(5\\)",
                           "5.",
                           " \\displaystyle 5 ",
                           "\\text{5}",
                           "\\mathbf{5}",
                           "{{5}}",
                           "**5**",
                           "\\$5",
                           "5^\\circ",
                           "5^{\\circ}",
                           "5°",
                           "x = 5",
                           "x_1=5",
                           "f(2) = 5",
                           "\\theta = 5",
                           "5 = x",
                           "5\\text{ cm}",
                           "5 \\mathrm{~m}/\\mathrm{s}^2",
                           "5 miles",
                           "5\\text{ square inches}"})
    EXPECT_EQ(value(text), "5") << text;
}

TEST(Normalise, ThousandsSeparators) {
  for (const char* text :
       {"1,234,567", "1{,}234{,}567", "1,\\!234,\\!567", "1\\,234\\,567", "1 234 567"})
    EXPECT_EQ(value(text), "1234567") << text;
  EXPECT_EQ(value("(1,234)"), "(1,234)");
  EXPECT_EQ(value("12,34"), "12,34");
}

TEST(Normalise, LatexSpellings) {
  EXPECT_EQ(value("\\dfrac12"), value("\\frac{1}{2}"));
  EXPECT_EQ(value("\\frac 59"), value("\\tfrac{5}{9}"));
  EXPECT_EQ(value("2\\sqrt 3"), value("2 \\sqrt{3}"));
  EXPECT_EQ(value("\\left( 1,\\ 2 \\right)"), value("(1,2)"));
  EXPECT_EQ(value("x \\leqslant 3"), value("x≤3"));
  EXPECT_EQ(value("\\begin{bmatrix}1\\\\2\\end{bmatrix}"),
            value("\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}"));
}

TEST(Normalise, MeaningStays) {
  EXPECT_NE(value("5x"), "5");
  EXPECT_NE(value("5i"), "5");
  EXPECT_NE(value("5\\mathrm{i}"), "5");
  EXPECT_NE(value("5\\text{ million}"), "5");
  EXPECT_NE(value("x > 5"), "5");
  EXPECT_NE(value("x^2 = 5"), "5");
  EXPECT_NE(value("52_8"), value("52_9"));
  EXPECT_NE(value("R"), value("r"));
  EXPECT_EQ(value("\\text{East}"), value("east"));
}

TEST(Normalise, EmptyAndControlCharacters) {
  EXPECT_EQ(normalise(" $ $ "), "");
  EXPECT_EQ(normalise("..."), "");
  EXPECT_EQ(normalise(std::string("4\0002", 3)), "");
  EXPECT_EQ(normalise("4\x01"), "");
}

}  // namespace
}  // namespace covrl
