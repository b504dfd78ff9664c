#include "clients/cli/person_export.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

#include "clients/cli/testing/privacy_server.h"
#include "common/crypto/digest.h"
#include "common/status/error.h"
#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace parcours::cli {
namespace {

namespace pb = ::parcours::platform::v1;
namespace fs = ::std::filesystem;

using ::testing::AllOf;
using ::testing::HasSubstr;

pb::ExportPersonResponse Record(const std::string& kind,
                                const std::string& resource) {
  pb::ExportPersonResponse piece;
  piece.mutable_record()->set_kind(kind);
  piece.mutable_record()->set_resource(resource);
  (*piece.mutable_record()->mutable_content()->mutable_fields())["givenName"]
      .set_string_value("Zoé");
  return piece;
}

pb::ExportPersonResponse Access() {
  pb::ExportPersonResponse piece;
  piece.mutable_record()->set_kind("access");
  auto& fields = *piece.mutable_record()->mutable_content()->mutable_fields();
  fields["time"].set_string_value("2026-07-01T08:05:00Z");
  fields["subject"].set_string_value("user:7");
  fields["action"].set_string_value("READ");
  fields["method"].set_string_value(
      "parcours.enrolment.v1.PeopleService/GetPerson");
  return piece;
}

// As the persons themselves are told of it.
pb::ExportPersonResponse AccessOfARole() {
  pb::ExportPersonResponse piece = Access();
  auto& fields = *piece.mutable_record()->mutable_content()->mutable_fields();
  fields.erase("subject");
  fields["action"].set_string_value("CHANGE");
  fields["roles"].mutable_list_value()->add_values()->set_string_value(
      "ROLE_ADMISSIONS");
  return piece;
}

pb::ExportPersonResponse Document(const std::string& name,
                                  const std::string& bytes) {
  pb::ExportPersonResponse piece;
  pb::ExportedDocument& document = *piece.mutable_document();
  document.set_resource("bodies/opale/cohorts/c/applications/a");
  document.set_kind("CV");
  document.set_file_name(name);
  document.set_byte_size(static_cast<int64_t>(bytes.size()));
  document.set_sha256(crypto::Sha256Hex(bytes));
  return piece;
}

pb::ExportPersonResponse Chunk(const std::string& bytes) {
  pb::ExportPersonResponse piece;
  piece.set_chunk(bytes);
  return piece;
}

unsigned ModeOf(const std::string& path) {
  struct stat facts = {};
  EXPECT_EQ(stat(path.c_str(), &facts), 0) << path;
  return facts.st_mode & 0777U;
}

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

class PersonExportTest : public ::testing::Test {
 protected:
  ExitCode Export(const std::string& person = kPerson) {
    out_.str("");
    errors_.str("");
    return ExportPersonCommand(servers_.addresses, {person}, folder_, out_,
                               errors_);
  }
  std::string In(const std::string& name) { return Cat(folder_, "/", name); }

  PrivacyServers servers_;
  testing::TempDir parent_;
  const std::string folder_ = parent_.File("export");
  std::ostringstream out_;
  std::ostringstream errors_;
};

TEST_F(PersonExportTest, WritesWhatEveryServiceHolds) {
  servers_.enrolment.pieces = {Record("person", kPerson),
                               Access(),
                               Document("cv.pdf", "%PDF-1234"),
                               Chunk("%PDF-"),
                               Chunk("1234"),
                               Document("lettre.pdf", "%PDF-5"),
                               Chunk("%PDF-5")};
  servers_.evaluation.pieces = {
      Record("certificate", "bodies/opale/certificates/1")};
  ASSERT_EQ(Export(), kSuccess) << errors_.str();
  EXPECT_EQ(Contents(In("enrolment/cv.pdf")), "%PDF-1234");
  EXPECT_EQ(Contents(In("enrolment/lettre.pdf")), "%PDF-5");
  const auto json = nlohmann::json::parse(Contents(In("enrolment.json")));
  EXPECT_EQ(json["person"], kPerson);
  EXPECT_EQ(json["records"][0]["kind"], "person");
  EXPECT_EQ(json["records"][0]["content"]["givenName"], "Zoé");
  EXPECT_EQ(json["documents"][0]["file"], "enrolment/cv.pdf");
  EXPECT_EQ(json["documents"][0]["sha256"], crypto::Sha256Hex("%PDF-1234"));
  EXPECT_TRUE(nlohmann::json::parse(Contents(In("scheduling.json")))["records"]
                  .empty());
  EXPECT_THAT(servers_.scheduling.asked, ::testing::ElementsAre(kPerson));
  EXPECT_THAT(out_.str(),
              AllOf(HasSubstr("enrolment : 1 enregistrement, 2 documents, 1 "
                              "consultation ou modification."),
                    HasSubstr("LISEZ-MOI.txt")));
}

TEST_F(PersonExportTest, TheIndexSaysWhatIsHeldAndWhoLooked) {
  servers_.enrolment.pieces = {Record("person", kPerson),
                               Record("application", "a"),
                               Record("application", "b"),
                               Record("gift", "c"),
                               Access(),
                               AccessOfARole(),
                               Document("cv.pdf", "x"),
                               Chunk("x")};
  ASSERT_EQ(Export(), kSuccess) << errors_.str();
  EXPECT_THAT(
      Contents(In("LISEZ-MOI.txt")),
      AllOf(HasSubstr(kPerson), HasSubstr("candidatures : 2"),
            HasSubstr("identité et coordonnées : 1"), HasSubstr("gift : 1"),
            HasSubstr("enrolment/cv.pdf  CV, 1 octets"),
            HasSubstr("01/07/2026 10:05  user:7  a lu  GetPerson\n"),
            HasSubstr("10:05  ROLE_ADMISSIONS  a modifié  GetPerson\n")));
}

TEST_F(PersonExportTest, OnlyItsOwnerMayReadIt) {
  servers_.enrolment.pieces = {Document("cv.pdf", "x"), Chunk("x")};
  ASSERT_EQ(Export(), kSuccess) << errors_.str();
  EXPECT_EQ(ModeOf(folder_), 0700U);
  EXPECT_EQ(ModeOf(In("enrolment")), 0700U);
  for (const char* file :
       {"enrolment.json", "scheduling.json", "evaluation.json", "LISEZ-MOI.txt",
        "enrolment/cv.pdf"}) {
    EXPECT_EQ(ModeOf(In(file)), 0600U) << file;
  }
}

TEST_F(PersonExportTest, WritesIntoAnEmptyFolderAndNoOther) {
  fs::create_directory(folder_);
  fs::permissions(folder_, fs::perms::all);
  ASSERT_EQ(Export(), kSuccess) << errors_.str();
  EXPECT_EQ(ModeOf(folder_), 0700U);
  servers_.enrolment.asked.clear();
  EXPECT_EQ(Export(), kUsage);
  EXPECT_THAT(errors_.str(), HasSubstr("pas un dossier vide"));
  EXPECT_TRUE(servers_.enrolment.asked.empty());
  EXPECT_TRUE(fs::exists(In("enrolment.json"))) << "it is left as it was";
}

TEST_F(PersonExportTest, NothingIsWrittenThroughALink) {
  fs::create_directory(parent_.File("elsewhere"));
  fs::create_directory_symlink(parent_.File("elsewhere"), folder_);
  EXPECT_EQ(Export(), kUsage);
  EXPECT_TRUE(fs::is_empty(parent_.File("elsewhere")));
}

TEST_F(PersonExportTest, ADocumentThatCameOtherwiseIsNoExport) {
  servers_.evaluation.pieces = {Document("note.pdf", "whole"), Chunk("whol")};
  EXPECT_EQ(Export(), kRefused);
  EXPECT_THAT(errors_.str(),
              AllOf(HasSubstr("evaluation"), HasSubstr("note.pdf"),
                    HasSubstr("Rien n’a été exporté")));
  EXPECT_TRUE(fs::is_empty(folder_));
  servers_.evaluation.pieces = {Document("note.pdf", "whole"), Chunk("wHole"),
                                Record("note", "n")};
  EXPECT_EQ(Export(), kRefused);
  servers_.evaluation.pieces = {Chunk("of no document")};
  EXPECT_EQ(Export(), kRefused);
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(PersonExportTest, APartAloneIsNoAnswer) {
  servers_.enrolment.pieces = {Record("person", kPerson)};
  servers_.evaluation.status = MakeError(Reason::kPermissionDenied);
  EXPECT_EQ(Export(), kRefused);
  EXPECT_THAT(errors_.str(), HasSubstr("evaluation"));
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(PersonExportTest, AServiceThatIsLeftOutIsSaidToBe) {
  servers_.addresses.scheduling.clear();
  ASSERT_EQ(Export(), kSuccess) << errors_.str();
  EXPECT_THAT(Contents(In("LISEZ-MOI.txt")),
              HasSubstr("scheduling n’a pas été interrogé"));
  EXPECT_THAT(out_.str(), HasSubstr("scheduling : n’a pas été interrogé"));
}

TEST_F(PersonExportTest, WrongCommandLinesSendNothing) {
  EXPECT_EQ(Export("p-1"), kUsage);
  EXPECT_EQ(
      ExportPersonCommand(servers_.addresses, {kPerson}, "", out_, errors_),
      kUsage);
  EXPECT_EQ(ExportPersonCommand(servers_.addresses, {}, folder_, out_, errors_),
            kUsage);
  EXPECT_TRUE(servers_.enrolment.asked.empty());
  EXPECT_FALSE(fs::exists(folder_));
}

TEST(SafeFileName, NamesNoOtherPlace) {
  std::set<std::string> taken;
  EXPECT_EQ(SafeFileName("cv.pdf", taken), "cv.pdf");
  EXPECT_EQ(SafeFileName("CV.pdf", taken), "2-CV.pdf");
  EXPECT_EQ(SafeFileName("../../etc/passwd", taken), "_._.._etc_passwd");
  EXPECT_EQ(SafeFileName("..", taken), "_.");
  EXPECT_EQ(SafeFileName("-rf", taken), "_rf");
  EXPECT_EQ(SafeFileName("", taken), "document");
  EXPECT_EQ(SafeFileName(std::string("a\0b\n", 4), taken), "a_b_");
  EXPECT_EQ(SafeFileName("é.pdf", taken), "__.pdf");
  const std::string of_a_long_name =
      SafeFileName(std::string(500, 'x') + ".pdf", taken);
  EXPECT_EQ(of_a_long_name.size(), 120U);
  EXPECT_TRUE(of_a_long_name.ends_with("xx.pdf"));
}

}  // namespace
}  // namespace parcours::cli
