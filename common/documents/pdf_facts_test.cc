#include "common/documents/pdf_facts.h"

#include <string>
#include <vector>

#include "common/testing/pdf.h"
#include "gtest/gtest.h"

namespace parcours::documents {
namespace {

using Kind = FileFacts::Kind;

// An empty archive, which programs find from its end.
std::string ArchiveEnd(std::string_view comment = "") {
  std::string end = "PK\x05\x06" + std::string(16, '\0');
  end += static_cast<char>(comment.size() & 0xFF);
  end += static_cast<char>(comment.size() >> 8);
  return end.append(comment);
}

TEST(PdfFactsTest, AQuietDocumentIsAPdfWithItsPages) {
  const FileFacts facts = FactsOf(MakePdf(17));
  EXPECT_EQ(facts.kind, Kind::kPdf);
  EXPECT_EQ(facts.pages, 17);
  EXPECT_FALSE(facts.encrypted);
  EXPECT_FALSE(facts.damaged);
  EXPECT_EQ(facts.active, "");
}

TEST(PdfFactsTest, WhatActsIsNamed) {
  const struct {
    const char* catalogue;
    const char* active;
  } cases[] = {
      {"/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>", "JavaScript"},
      {"/OpenAction << /Type /Action /S /JavaScript >>", "JavaScript"},
      {"/Names << /JavaScript << /Names [] >> >>", "JavaScript"},
      {"/AA << /WC << /S /Launch /F (x) >> >>", "Launch"},
      {"/OpenAction << /S /URI /URI (https://exemple.test) >>", "URI"},
      {"/OpenAction << /S /GoToR /F (x.pdf) >>", "URI"},
      {"/OpenAction << /S /GoTo /Next << /S /URI /URI (x) >> >>", "URI"},
      {"/OpenAction << /S /GoTo /Next [ << /S /Named >> << /S /URI >> ] >>",
       "URI"},
      {"/AA << /O << /S /URI /URI (x) >> >>", "URI"},
      {"/X << /S /SubmitForm /F (x) >>", "SubmitForm"},
      {"/X [ [ << /S /ImportData /F (x) >> ] ]", "ImportData"},
      {"/X << /S /GoToE >>", "GoToE"},
      {"/X << /S /Rendition >>", "Rendition"},
      {"/X << /S /RichMediaExecute >>", "RichMedia"},
      {"/X << /Type /Annot /Subtype /RichMedia >>", "RichMedia"},
      {"/X << /Subtype /3D >>", "3D"},
      {"/X << /Subtype /Movie >>", "Movie"},
      {"/X << /Subtype /Sound >>", "Sound"},
      {"/AcroForm << /XFA [] >>", "XFA"},
      {"/Names << /EmbeddedFiles << /Names [ (a) << /Type /Filespec /EF << >> "
       ">> ] >> >>",
       "EmbeddedFile"},
  };
  for (const auto& c : cases) {
    const FileFacts facts = FactsOf(MakePdf(1, c.catalogue));
    EXPECT_EQ(facts.kind, Kind::kPdf) << c.catalogue;
    EXPECT_FALSE(facts.damaged) << c.catalogue;
    EXPECT_EQ(facts.active, c.active) << c.catalogue;
  }
}

TEST(PdfFactsTest, WhatDocumentsOftenHoldIsQuiet) {
  for (const char* catalogue :
       {// a link to follow, and a jump
        "/X << /Type /Annot /Subtype /Link /A << /S /URI /URI (x) >> >>",
        "/OpenAction [ 3 0 R /Fit ]", "/OpenAction << /S /GoTo /D [] >>",
        "/OpenAction << /S /Named /N /FirstPage >>",
        // structure, whose names mean something else
        "/StructTreeRoot << /K << /Type /StructElem /S /Sound >> >>",
        "/PageLabels << /Nums [ 0 << /S /D >> ] >>",
        "/OutputIntents [ << /S /GTS_PDFA1 >> ]",
        // a form to fill in, and a name tree that holds nothing
        "/AcroForm << /Fields [] >>",
        "/Names << /EmbeddedFiles << /Names [] >> >>",
        "/Names << /Dests << /Names [] >> >>"}) {
    const FileFacts facts = FactsOf(MakePdf(1, catalogue));
    EXPECT_EQ(facts.active, "") << catalogue;
    EXPECT_FALSE(facts.damaged) << catalogue;
  }
}

TEST(PdfFactsTest, AnActionThatFollowsItselfEnds) {
  const FileFacts facts =
      FactsOf(MakePdf(1, "/S /GoTo /OpenAction 1 0 R /Next 1 0 R"));
  EXPECT_TRUE(facts.damaged);
}

TEST(PdfFactsTest, WhatIsEncryptedIsSaidToBe) {
  // The dictionary is found before anything is decrypted.
  std::string pdf = MakePdf(1);
  const std::size_t root = pdf.find("/Root 1 0 R");
  for (const char* encryption :
       {"/Encrypt << /Filter /Standard /V 1 /R 2 /O (x) /U (x) /P 0 >> ",
        "/Encrypt << /Filter /Adobe.PubSec /V 4 >> "}) {
    std::string encrypted = pdf;
    encrypted.insert(root, encryption);
    const FileFacts facts = FactsOf(encrypted);
    EXPECT_TRUE(facts.encrypted || facts.damaged) << encryption;
    EXPECT_EQ(facts.pages, 0) << encryption;
  }
}

TEST(PdfFactsTest, OnlyWhatBeginsAsAPdfIsOne) {
  EXPECT_EQ(FactsOf("\xEF\xBB\xBF\r\n" + MakePdf(1)).kind, Kind::kPdf);
  for (const std::string& before :
       {std::string("<html><script>x</script>"), std::string("MZ"),
        std::string("GIF89a"), std::string("\xFF\xD8\xFF\xE0"),
        std::string("\x89PNG\r\n\x1a\n"), std::string("x"),
        std::string(100, '\0')}) {
    EXPECT_EQ(FactsOf(before + MakePdf(1)).kind, Kind::kOther);
  }
  for (const std::string& bytes :
       {std::string(), std::string("%PDF"), std::string(2000, ' '),
        std::string("plain text"), std::string("{\"a\":1}")}) {
    EXPECT_EQ(FactsOf(bytes).kind, Kind::kOther);
  }
}

TEST(PdfFactsTest, ADocumentThatIsAnArchiveAsWellIsNone) {
  const std::string pdf = MakePdf(1);
  EXPECT_EQ(FactsOf(pdf + ArchiveEnd()).kind, Kind::kOther);
  EXPECT_EQ(FactsOf(pdf + ArchiveEnd("%%EOF\n")).kind, Kind::kOther);
  EXPECT_EQ(FactsOf(pdf + ArchiveEnd(std::string(65535, 'x'))).kind,
            Kind::kOther);
  // Two in one: the last counts for one program, the first for another.
  EXPECT_EQ(FactsOf(pdf + ArchiveEnd(ArchiveEnd())).kind, Kind::kOther);
  // The bytes alone, somewhere in a stream, are nothing.
  EXPECT_EQ(FactsOf(MakePdf(1, "", "PK\x05\x06")).kind, Kind::kPdf);
}

TEST(PdfFactsTest, AWordProcessorsFileIsKnownByItsBytes) {
  for (const std::string& bytes :
       {std::string("PK\x03\x04\x14\0\0\0 [Content_Types].xml", 28),
        std::string(
            "PK\x03\x04 mimetypeapplication/vnd.oasis.opendocument.text"),
        std::string("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 a letter"),
        std::string("{\\rtf1 a letter}")}) {
    EXPECT_EQ(FactsOf(bytes).kind, Kind::kOffice);
  }
  EXPECT_EQ(FactsOf("PK\x03\x04 some archive").kind, Kind::kOther);
}

TEST(PdfFactsTest, DeepNestingIsDamage) {
  const auto nested = [](std::size_t depth) {
    return "/X " + std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_FALSE(FactsOf(MakePdf(1, nested(20))).damaged);
  for (const std::size_t depth : {100U, 1000U, 200'000U}) {
    EXPECT_TRUE(FactsOf(MakePdf(1, nested(depth))).damaged) << depth;
  }
}

TEST(PdfFactsTest, APageTreeThatHoldsItselfEnds) {
  std::string pdf = MakePdf(1);
  const std::size_t kids = pdf.find("[3 0 R");
  ASSERT_NE(kids, std::string::npos);
  pdf[kids + 1] = '2';
  const FileFacts facts = FactsOf(pdf);
  EXPECT_TRUE(facts.damaged || facts.pages <= 1);
}

}  // namespace
}  // namespace parcours::documents
