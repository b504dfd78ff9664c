#ifndef PARCOURS_COMMON_TESTING_PDF_H_
#define PARCOURS_COMMON_TESTING_PDF_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace parcours {

// The bytes of a well-formed PDF with that many blank A4 pages. `catalogue`
// is added to the entries of the document catalogue, and `text`, as a comment,
// to the bytes, so that two documents differ.
std::string MakePdf(int pages, std::string_view catalogue = "",
                    std::string_view text = "");

// The bytes of a PDF whose objects lie in a compressed stream that unfolds to
// `bytes` of white space.
std::string MakePdfBomb(int64_t bytes);

}  // namespace parcours

#endif  // PARCOURS_COMMON_TESTING_PDF_H_
