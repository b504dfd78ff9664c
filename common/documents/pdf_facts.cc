#include "common/documents/pdf_facts.h"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <new>
#include <stdexcept>

#include "qpdf/QPDF.hh"
#include "qpdf/QPDFExc.hh"
#include "qpdf/QPDFObjectHandle.hh"

namespace parcours::documents {
namespace {

// Deeper nesting is no document that people write.
constexpr int kMaximumDepth = 64;

// The end of an archive (APPNOTE.TXT, 4.3.16), without its comment, and the
// longest comment.
constexpr std::string_view kArchiveEnd = "PK\x05\x06";
constexpr std::size_t kArchiveEndBytes = 22;
constexpr std::size_t kMaximumComment = 65535;

// Of C++17, which is as far as the headers of qpdf go with every compiler.
bool Begins(std::string_view text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}

// Whether programs that read archives from their end take the file for one.
bool EndsAsArchive(std::string_view bytes) {
  if (bytes.size() < kArchiveEndBytes) return false;
  const std::string_view tail =
      bytes.substr(bytes.size() -
                   std::min(bytes.size(), kArchiveEndBytes + kMaximumComment));
  for (std::size_t at = tail.find(kArchiveEnd); at != std::string_view::npos;
       at = tail.find(kArchiveEnd, at + 1)) {
    if (at + kArchiveEndBytes > tail.size()) return false;
    const auto byte = [&](std::size_t i) {
      return static_cast<std::size_t>(static_cast<unsigned char>(tail[at + i]));
    };
    if (at + kArchiveEndBytes + (byte(20) | byte(21) << 8) == tail.size()) {
      return true;
    }
  }
  return false;
}

// Readers look for the header in the first kilobyte (ISO 32000-1, annex H,
// 3.4.1), and so take a web page or a program for a PDF as well. Here nothing
// but white space and a byte order mark may stand before it.
bool BeginsAsPdf(std::string_view bytes) {
  if (Begins(bytes, "\xEF\xBB\xBF")) bytes.remove_prefix(3);
  const std::size_t start = bytes.find_first_not_of(" \t\r\n\f");
  return start != std::string_view::npos &&
         Begins(bytes.substr(start), "%PDF-");
}

bool IsOffice(std::string_view bytes) {
  constexpr std::string_view kCompoundFile = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
  constexpr std::size_t kStart = 4096;
  if (Begins(bytes, kCompoundFile) || Begins(bytes, "{\\rtf")) {
    return true;
  }
  if (!Begins(bytes, "PK\x03\x04")) return false;
  const std::string_view start = bytes.substr(0, kStart);
  for (const std::string_view mark :
       {"[Content_Types].xml", "word/", "_rels/.rels",
        "mimetypeapplication/vnd.oasis.opendocument"}) {
    if (start.find(mark) != std::string_view::npos) return true;
  }
  return false;
}

std::string_view NameIn(QPDFObjectHandle& dictionary, const char* key,
                        std::string& storage) {
  QPDFObjectHandle value = dictionary.getKey(key);
  if (!value.isName()) return "";
  storage = value.getName();
  return storage;
}

bool IsOneOf(std::string_view name,
             std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// What the action (12.6.4) does that acts or reaches out, by its name.
// `by_itself`: it is done without being asked for.
std::string ActiveAction(QPDFObjectHandle& action, bool by_itself) {
  std::string storage;
  const std::string_view type = NameIn(action, "/Type", storage);
  if (!type.empty() && type != "/Action") return "";
  const std::string_view kind = NameIn(action, "/S", storage);
  if (IsOneOf(kind, {"/JavaScript", "/Launch", "/SubmitForm", "/ImportData",
                     "/GoToE", "/Rendition", "/Movie", "/Sound"})) {
    return std::string(kind.substr(1));
  }
  if (kind == "/RichMediaExecute") return "RichMedia";
  if (by_itself && IsOneOf(kind, {"/URI", "/GoToR", "/Thread"})) return "URI";
  return "";
}

// The same of an action that is done by itself, and of those that follow it.
std::string ActiveByItself(QPDFObjectHandle action, int depth) {
  if (depth > kMaximumDepth) throw std::runtime_error("nested too deeply");
  if (action.isArray()) {
    for (const QPDFObjectHandle& item : action.getArrayAsVector()) {
      std::string active = ActiveByItself(item, depth + 1);
      if (!active.empty()) return active;
    }
    return "";
  }
  if (!action.isDictionary()) return "";
  std::string active = ActiveAction(action, /*by_itself=*/true);
  if (!active.empty() || !action.hasKey("/S")) return active;
  return ActiveByItself(action.getKey("/Next"), depth + 1);
}

// What is active in `object` or directly within it; what it refers to is looked
// at in its own turn.
std::string ActiveIn(QPDFObjectHandle object, int depth) {
  if (depth > kMaximumDepth) throw std::runtime_error("nested too deeply");
  if (object.isArray()) {
    for (const QPDFObjectHandle& item : object.getArrayAsVector()) {
      if (item.isIndirect()) continue;
      std::string active = ActiveIn(item, depth + 1);
      if (!active.empty()) return active;
    }
    return "";
  }
  if (object.isStream()) object = object.getDict();
  if (!object.isDictionary()) return "";
  if (object.hasKey("/JS") || object.hasKey("/JavaScript")) return "JavaScript";
  if (object.hasKey("/XFA")) return "XFA";
  std::string storage;
  if (object.hasKey("/EF") ||
      NameIn(object, "/Type", storage) == "/EmbeddedFile") {
    return "EmbeddedFile";
  }
  const std::string_view subtype = NameIn(object, "/Subtype", storage);
  if (IsOneOf(subtype, {"/RichMedia", "/3D", "/Movie", "/Sound"})) {
    return std::string(subtype.substr(1));
  }
  std::string active = ActiveAction(object, /*by_itself=*/false);
  if (!active.empty()) return active;
  active = ActiveByItself(object.getKey("/OpenAction"), depth + 1);
  if (!active.empty()) return active;
  QPDFObjectHandle additional = object.getKey("/AA");
  if (additional.isDictionary()) {
    for (const auto& [key, action] : additional.getDictAsMap()) {
      active = ActiveByItself(action, depth + 1);
      if (!active.empty()) return active;
    }
  }
  for (const auto& [key, value] : object.getDictAsMap()) {
    if (value.isIndirect()) continue;
    active = ActiveIn(value, depth + 1);
    if (!active.empty()) return active;
  }
  return "";
}

void ReadPdf(std::string_view bytes, FileFacts& facts) {
  QPDF pdf;
  pdf.setSuppressWarnings(true);
  pdf.processMemoryFile("upload", bytes.data(), bytes.size());
  facts.encrypted = pdf.isEncrypted();
  if (facts.encrypted) return;
  facts.pages = static_cast<int>(pdf.getAllPages().size());
  for (const QPDFObjectHandle& object : pdf.getAllObjects()) {
    facts.active = ActiveIn(object, 0);
    if (!facts.active.empty()) return;
  }
}

}  // namespace

FileFacts FactsOf(std::string_view bytes) {
  FileFacts facts;
  if (IsOffice(bytes)) {
    facts.kind = FileFacts::Kind::kOffice;
    return facts;
  }
  if (!BeginsAsPdf(bytes) || EndsAsArchive(bytes)) return facts;
  facts.kind = FileFacts::Kind::kPdf;
  try {
    ReadPdf(bytes, facts);
  } catch (const QPDFExc& error) {
    // A scheme of encryption that qpdf does not know is one too.
    facts.encrypted = error.getErrorCode() == qpdf_e_password ||
                      error.getErrorCode() == qpdf_e_unsupported;
    facts.damaged = !facts.encrypted;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception&) {
    facts.damaged = true;
  }
  return facts;
}

}  // namespace parcours::documents
