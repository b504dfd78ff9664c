#include "common/testing/pdf.h"

#include <cstddef>
#include <vector>

#include "absl/strings/str_format.h"
#include "common/text/view.h"

namespace parcours {

std::string MakePdf(int pages, std::string_view catalogue,
                    std::string_view text) {
  std::vector<std::string> objects;
  objects.push_back(Cat("<< /Type /Catalog /Pages 2 0 R ", catalogue, " >>"));
  std::string kids;
  for (int i = 0; i < pages; ++i) CatTo(kids, 3 + i, " 0 R ");
  objects.push_back(
      Cat("<< /Type /Pages /Kids [", kids, "] /Count ", pages, " >>"));
  for (int i = 0; i < pages; ++i) {
    objects.push_back(
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>");
  }
  std::string pdf = Cat("%PDF-1.4\n%", text, "\n");
  std::string table =
      Cat("xref\n0 ", objects.size() + 1, "\n0000000000 65535 f \n");
  for (std::size_t i = 0; i < objects.size(); ++i) {
    CatTo(table, absl::StrFormat("%010d 00000 n \n", pdf.size()));
    CatTo(pdf, i + 1, " 0 obj\n", objects[i], "\nendobj\n");
  }
  const std::size_t table_start = pdf.size();
  CatTo(pdf, table, "trailer\n<< /Size ", objects.size() + 1,
        " /Root 1 0 R >>\nstartxref\n", table_start, "\n%%EOF\n");
  return pdf;
}

}  // namespace parcours
