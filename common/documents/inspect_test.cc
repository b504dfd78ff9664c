#include "common/documents/inspect.h"

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
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

TEST(InspectTest, RefusesAPdfThatActsAndSaysHow) {
  const struct {
    const char* catalogue;
    const char* kind;
  } cases[] = {
      {"/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>", "JavaScript"},
      {"/AA << /WC << /S /Launch /F (x) >> >>", "Launch"},
      {"/OpenAction << /S /URI /URI (https://exemple.test) >>", "URI"},
      {"/X << /Type /Filespec /EF << >> >>", "EmbeddedFile"},
  };
  for (const auto& c : cases) {
    const auto inspection = InspectBytes(Options(), MakePdf(1, c.catalogue));
    EXPECT_THAT(inspection, HasReason(Reason::kUploadActiveContent));
    EXPECT_EQ(MetadataOf(inspection.status()).at("kind"), c.kind);
  }
}

TEST(InspectTest, RefusesAnEncryptedPdf) {
  // Made by qpdf: 40-bit RC4 with an empty user password, and AES-256 with one.
  const auto encrypted = [](std::string_view dictionary) {
    std::string pdf = MakePdf(1);
    return pdf.insert(pdf.find("/Root 1 0 R"), dictionary);
  };
  EXPECT_THAT(
      InspectBytes(Options(),
                   encrypted("/ID [<00000000000000000000000000000000>"
                             "<00000000000000000000000000000000>] "
                             "/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 "
                             "/O <" +
                             std::string(64, '0') +
                             "> "
                             "/U <" +
                             std::string(64, '0') + "> >> ")),
      HasReason(Reason::kUploadEncrypted));
  EXPECT_THAT(InspectBytes(Options(), encrypted("/Encrypt << /Filter "
                                                "/Adobe.PubSec /V 4 >> ")),
              HasReason(Reason::kUploadEncrypted));
}

TEST(InspectTest, SaysThatAWordProcessorsFileMustBeExported) {
  EXPECT_THAT(InspectBytes(Options(), "PK\3\4 [Content_Types].xml"),
              HasReason(Reason::kUploadOfficeDocument));
}

TEST(InspectTest, RefusesWhatIsSomethingElseAsWell) {
  EXPECT_THAT(InspectBytes(Options(), "<script>" + MakePdf(1)),
              HasReason(Reason::kUploadWrongType));
  EXPECT_THAT(
      InspectBytes(Options(), MakePdf(1) + "PK\5\6" + std::string(18, '\0')),
      HasReason(Reason::kUploadWrongType));
}

// An object stream that unfolds to more than the memory there is.
TEST(InspectTest, ABombIsStoppedByItsLimits) {
  InspectorOptions options = Options();
  options.cpu_time = absl::Seconds(2);
  const absl::Time start = absl::Now();
  EXPECT_THAT(InspectBytes(options, MakePdfBomb(int64_t{600} << 20)),
              HasReason(Reason::kUploadUnreadable));
  EXPECT_LT(absl::Now() - start, options.timeout + absl::Seconds(10));
  EXPECT_OK(InspectBytes(Options(), MakePdf(1)));
}

TEST(InspectTest, ManyAtOnceAreLookedAtInTurn) {
  std::atomic<int> inspected = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&inspected] {
      if (InspectBytes(Options(), MakePdf(2)).ok()) ++inspected;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(inspected, 8);
}

// A child that was taken over says what it likes.
TEST(ReadInspectionTest, BelievesNoAnswerThatMakesNoSense) {
  for (const char* answer :
       {"", "null", "[]", "7", "{", "{}", "{\"kind\":7}", "{\"kind\":\"pdf\"}",
        R"({"kind":"pdf","damaged":false})",
        R"({"kind":"pdf","damaged":"false","pages":3})",
        R"({"kind":"pdf","damaged":false,"pages":-1})",
        R"({"kind":"pdf","damaged":false,"pages":1e9})",
        R"({"kind":"pdf","damaged":false,"pages":18446744073709551615})",
        R"({"kind":"pdf","damaged":false,"pages":10001})",
        R"({"kind":"pdf","damaged":false,"pages":"3"})"}) {
    EXPECT_FALSE(ReadInspection(answer, 100).ok()) << answer;
  }
  const auto good = ReadInspection(
      R"({"kind":"pdf","encrypted":false,"damaged":false,"active":"","pages":3})",
      100);
  ASSERT_OK(good);
  EXPECT_EQ(good->pages, 3);
  EXPECT_EQ(good->byte_size, 100);
}

TEST(ReadInspectionTest, RepeatsNothingThatIsNoName) {
  const auto active = ReadInspection(
      R"({"kind":"pdf","damaged":false,"active":"<b>x</b>","pages":3})", 100);
  EXPECT_THAT(active, HasReason(Reason::kUploadActiveContent));
  EXPECT_EQ(MetadataOf(active.status()).at("kind"), "?");
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
