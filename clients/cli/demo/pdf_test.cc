#include "clients/cli/demo/pdf.h"

#include <cstdlib>

#include "common/documents/inspect.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::cli::demo {
namespace {

int CountPages(const std::string& bytes) {
  const auto inspection = documents::InspectBytes(
      {.program = std::getenv("PARCOURS_DOCUMENTS_INSPECTOR")}, bytes);
  EXPECT_OK(inspection);
  return inspection.ok() ? inspection->pages : -1;
}

TEST(WritePdfTest, AReaderCountsItsPages) {
  for (const int pages : {1, 2, 15, 20, 120}) {
    EXPECT_EQ(CountPages(WritePdf(pages, "Note de validation")), pages);
  }
}

TEST(WritePdfTest, TitlesMayHoldWhatPdfReadsAsSyntax) {
  EXPECT_EQ(CountPages(WritePdf(2, "(une) parenthèse \\ et «guillemets»")), 2);
}

TEST(WritePdfTest, TheSameTitleGivesTheSameBytes) {
  EXPECT_EQ(WritePdf(3, "a"), WritePdf(3, "a"));
  EXPECT_NE(WritePdf(3, "a"), WritePdf(3, "b"));
}

}  // namespace
}  // namespace parcours::cli::demo
