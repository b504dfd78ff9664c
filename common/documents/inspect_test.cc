#include "common/documents/inspect.h"

#include <cstdlib>
#include <string>

#include "common/status/error.h"
#include "common/testing/pdf.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace parcours::documents {
namespace {

InspectorOptions Options() {
  return {.program = std::getenv("PARCOURS_DOCUMENTS_INSPECTOR")};
}

std::string CauseOf(const absl::Status& status) {
  const ErrorMetadata metadata = MetadataOf(status);
  const auto cause = metadata.find("cause");
  return cause == metadata.end() ? "" : cause->second;
}

TEST(InspectTest, CountsPages) {
  for (int pages : {1, 12, 17}) {
    const auto inspection = InspectBytes(Options(), MakePdf(pages));
    ASSERT_OK(inspection);
    EXPECT_EQ(inspection->pages, pages);
    EXPECT_EQ(inspection->byte_size,
              static_cast<int64_t>(MakePdf(pages).size()));
  }
}

TEST(InspectTest, RefusesAnEmptyFile) {
  EXPECT_THAT(InspectBytes(Options(), ""), HasReason(Reason::kUploadEmpty));
}

TEST(InspectTest, RefusesWhatIsNotAPdf) {
  for (const std::string& bytes :
       {std::string("plain text"), std::string("PK\3\4 a DOCX or ODT"),
        std::string("\x89PNG\r\n\x1a\n"), std::string(2000, '\0')}) {
    EXPECT_THAT(InspectBytes(Options(), bytes),
                HasReason(Reason::kUploadWrongType));
  }
}

TEST(InspectTest, RefusesADamagedPdf) {
  EXPECT_THAT(InspectBytes(Options(), "%PDF-1.4\nand nothing else"),
              HasReason(Reason::kUploadUnreadable));
  const std::string whole = MakePdf(3);
  EXPECT_THAT(InspectBytes(Options(), whole.substr(0, 60)),
              HasReason(Reason::kUploadUnreadable));
}

TEST(InspectTest, RefusesAPdfWithoutPages) {
  EXPECT_THAT(InspectBytes(Options(), MakePdf(0)),
              HasReason(Reason::kUploadUnreadable));
}

TEST(InspectTest, RefusesAPdfThatRunsAScript) {
  for (const char* catalogue :
       {"/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>",
        "/Names << /JavaScript << /Names [] >> >>",
        "/AA << /WC << /S /Launch /F (x) >> >>"}) {
    const auto inspection = InspectBytes(Options(), MakePdf(1, catalogue));
    EXPECT_THAT(inspection, HasReason(Reason::kUploadUnreadable));
    EXPECT_EQ(CauseOf(inspection.status()), "it holds a script");
  }
}

TEST(InspectTest, KillsAnInspectorThatDoesNotAnswer) {
  InspectorOptions options = Options();
  options.timeout = absl::ZeroDuration();
  const auto inspection = InspectBytes(options, MakePdf(1));
  EXPECT_EQ(CauseOf(inspection.status()), "reading it takes too long");
}

TEST(InspectTest, ReportsAMissingInspectorAsOurFault) {
  EXPECT_THAT(
      InspectBytes({.program = "/nowhere/documents_inspector"}, MakePdf(1)),
      StatusIs(absl::StatusCode::kInternal));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(InspectTest, ConfinesTheInspectorsMemory) {
  InspectorOptions options = Options();
  options.memory_bytes = 1 << 20;
  const std::string large = MakePdf(5000);
  EXPECT_THAT(InspectBytes(options, large),
              HasReason(Reason::kUploadUnreadable));
  EXPECT_OK(InspectBytes(Options(), large));
}
#endif

}  // namespace
}  // namespace parcours::documents
