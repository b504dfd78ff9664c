#ifndef PARCOURS_CLIENTS_CLI_DEMO_PDF_H_
#define PARCOURS_CLIENTS_CLI_DEMO_PDF_H_

#include <string>
#include <string_view>

namespace parcours::cli::demo {

// A PDF 1.4 with `pages` A4 pages, each with `title` and its number. The
// demonstration needs small files that a reader of PDF accepts, with a number
// of pages that it chooses; a library that lays out documents would be far
// more, and shipped files could not follow the programme. REQUIRES: pages >= 1.
// Characters of `title` outside ASCII become "?".
std::string WritePdf(int pages, std::string_view title);

}  // namespace parcours::cli::demo

#endif  // PARCOURS_CLIENTS_CLI_DEMO_PDF_H_
