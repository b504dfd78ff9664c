#ifndef PARCOURS_COMMON_DOCUMENTS_PDF_FACTS_H_
#define PARCOURS_COMMON_DOCUMENTS_PDF_FACTS_H_

#include <string>
#include <string_view>

namespace parcours::documents {

// What the bytes of a file are, as one reading of them tells.
struct FileFacts {
  enum class Kind {
    kOther,
    // A PDF, and nothing that another program takes for something else: it
    // begins as one, and is no archive at its end.
    kPdf,
    // A word processor's file: DOCX, ODT, DOC.
    kOffice,
  };
  Kind kind = Kind::kOther;
  int pages = 0;
  bool encrypted = false;
  bool damaged = false;
  // What acts by itself or reaches out of the document, by the name that ISO
  // 32000-2 gives it: "JavaScript", "Launch", "EmbeddedFile", "SubmitForm",
  // "ImportData", "GoToE", "Rendition", "RichMedia", "3D", "Movie", "Sound",
  // "XFA", or "URI" where a link opens without being followed. Empty when there
  // is none; links to follow are none.
  std::string active;
};

// For processes that confinement.h confines: a hostile file may cost any time
// and memory. Throws std::bad_alloc, and nothing else.
FileFacts FactsOf(std::string_view bytes);

}  // namespace parcours::documents

#endif  // PARCOURS_COMMON_DOCUMENTS_PDF_FACTS_H_
