#ifndef PARCOURS_COMMON_TESTING_PDF_H_
#define PARCOURS_COMMON_TESTING_PDF_H_

#include <string>
#include <string_view>

namespace parcours {

// The bytes of a well-formed PDF with that many blank A4 pages. `catalogue`
// is added to the entries of the document catalogue, and `text`, as a comment,
// to the bytes, so that two documents differ.
std::string MakePdf(int pages, std::string_view catalogue = "",
                    std::string_view text = "");

}  // namespace parcours

#endif  // PARCOURS_COMMON_TESTING_PDF_H_
