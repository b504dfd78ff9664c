#include "clients/cli/demo/pdf.h"

#include <cstddef>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace parcours::cli::demo {
namespace {

// The text of a PDF string: the characters with a meaning are escaped.
std::string Escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0U) == 0x80U) continue;  // within a character of UTF-8
    if (byte < 0x20U || byte > 0x7EU) {
      escaped.push_back('?');
      continue;
    }
    if (c == '(' || c == ')' || c == '\\') escaped.push_back('\\');
    escaped.push_back(c);
  }
  return escaped;
}

std::string Stream(const std::string& content) {
  return absl::StrCat("<< /Length ", content.size(), " >>\nstream\n", content,
                      "\nendstream");
}

}  // namespace

std::string WritePdf(int pages, std::string_view title) {
  // Objects 1 to 3 are the catalogue, the page tree and the font; then a page
  // and its content for each page.
  constexpr int kFirstPage = 4;
  std::string kids;
  for (int i = 0; i < pages; ++i) {
    absl::StrAppend(&kids, kFirstPage + 2 * i, " 0 R ");
  }
  std::vector<std::string> objects = {
      "<< /Type /Catalog /Pages 2 0 R >>",
      absl::StrCat("<< /Type /Pages /Kids [", kids, "] /Count ", pages, " >>"),
      "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"};
  const std::string line = Escape(title);
  for (int i = 0; i < pages; ++i) {
    objects.push_back(absl::StrCat(
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents ",
        kFirstPage + 2 * i + 1,
        " 0 R /Resources << /Font << /F1 3 0 R >> >> >>"));
    objects.push_back(Stream(absl::StrCat("BT /F1 12 Tf 72 770 Td (", line,
                                          ", page ", i + 1, ") Tj ET")));
  }
  std::string pdf = "%PDF-1.4\n";
  std::string table =
      absl::StrCat("xref\n0 ", objects.size() + 1, "\n0000000000 65535 f \n");
  for (std::size_t i = 0; i < objects.size(); ++i) {
    absl::StrAppend(&table, absl::StrFormat("%010d 00000 n \n", pdf.size()));
    absl::StrAppend(&pdf, i + 1, " 0 obj\n", objects[i], "\nendobj\n");
  }
  const std::size_t table_start = pdf.size();
  absl::StrAppend(&pdf, table, "trailer\n<< /Size ", objects.size() + 1,
                  " /Root 1 0 R >>\nstartxref\n", table_start, "\n%%EOF\n");
  return pdf;
}

}  // namespace parcours::cli::demo
