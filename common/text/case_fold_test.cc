#include "common/text/case_fold.h"

#include <gtest/gtest.h>

namespace parcours::text {
namespace {

TEST(CaseFoldTest, IgnoresCaseSpacingAndComposition) {
  EXPECT_EQ(CaseFold("  Éloïse   FICTIVE "), CaseFold("éloïse fictive"));
  EXPECT_EQ(CaseFold("e\xCC\x81"), CaseFold("\xC3\x89"));
}

TEST(CaseFoldTest, KeepsDifferentNamesApart) {
  EXPECT_NE(CaseFold("Candidate Une"), CaseFold("Candidate Un"));
  EXPECT_NE(CaseFold("Élise"), CaseFold("Elise"));
}

}  // namespace
}  // namespace parcours::text
