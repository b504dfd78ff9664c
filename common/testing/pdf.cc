#include "common/testing/pdf.h"

#include <zlib.h>

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

std::string MakePdfBomb(int64_t bytes) {
  const std::string spaces(std::size_t{1} << 20, ' ');
  std::string stream;
  z_stream deflater{};
  deflateInit(&deflater, Z_BEST_COMPRESSION);
  std::string out(std::size_t{1} << 16, '\0');
  for (int64_t done = 0; done < bytes;) {
    deflater.next_in =
        const_cast<Bytef*>(reinterpret_cast<const Bytef*>(spaces.data()));
    deflater.avail_in = static_cast<uInt>(spaces.size());
    done += static_cast<int64_t>(spaces.size());
    do {
      deflater.next_out = reinterpret_cast<Bytef*>(out.data());
      deflater.avail_out = static_cast<uInt>(out.size());
      deflate(&deflater, done < bytes ? Z_NO_FLUSH : Z_FINISH);
      stream.append(out, 0, out.size() - deflater.avail_out);
    } while (deflater.avail_out == 0);
  }
  deflateEnd(&deflater);

  // Object 1, the catalogue, is the first in stream 2; 3 is the table.
  std::string pdf = "%PDF-1.5\n";
  const std::size_t objects_start = pdf.size();
  CatTo(pdf, "2 0 obj\n<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode ",
        "/Length ", stream.size(), " >>\nstream\n", stream,
        "\nendstream\nendobj\n");
  const std::size_t table_start = pdf.size();
  const auto entry = [](int type, std::size_t field, int last) {
    std::string bytes_of_entry(1, static_cast<char>(type));
    for (int shift = 24; shift >= 0; shift -= 8) {
      bytes_of_entry += static_cast<char>(field >> shift & 0xFF);
    }
    return bytes_of_entry += static_cast<char>(last);
  };
  const std::string table = entry(0, 0, 0) + entry(2, 2, 0) +
                            entry(1, objects_start, 0) +
                            entry(1, table_start, 0);
  CatTo(pdf, "3 0 obj\n<< /Type /XRef /Size 4 /W [1 4 1] /Root 1 0 R /Length ",
        table.size(), " >>\nstream\n", table,
        "\nendstream\nendobj\nstartxref\n", table_start, "\n%%EOF\n");
  return pdf;
}

}  // namespace parcours
