#include "clients/cli/person_export.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "clients/cli/dates.h"
#include "clients/cli/privacy_calls.h"
#include "common/crypto/digest.h"
#include "common/rpc/grpc_status.h"
#include "common/status/macros.h"
#include "common/text/view.h"
#include "common/time/clock.h"
#include "google/protobuf/util/json_util.h"
#include "grpcpp/client_context.h"
#include "nlohmann/json.hpp"
#include "parcours/platform/v1/privacy.pb.h"

namespace parcours::cli {
namespace {

namespace pb = ::parcours::platform::v1;
namespace fs = ::std::filesystem;
using Json = ::nlohmann::json;

// Of the whole export of one service.
constexpr absl::Duration kExportTime = absl::Minutes(10);
constexpr std::size_t kLongestFileName = 120;
constexpr std::string_view kIndexFile = "LISEZ-MOI.txt";

absl::Status FileError(const fs::path& path) {
  return absl::FailedPreconditionError(
      Cat(path.string(), " : ", std::strerror(errno)));
}

// A new file that only its owner may read.
class NewFile {
 public:
  NewFile() = default;
  ~NewFile() {
    if (file_ >= 0) close(file_);
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  absl::Status Create(const fs::path& path) {
    path_ = path;
    file_ = open(path.c_str(),
                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return file_ < 0 ? FileError(path_) : absl::OkStatus();
  }
  absl::Status Write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = write(file_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return FileError(path_);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return absl::OkStatus();
  }
  absl::Status Close() {
    const int file = std::exchange(file_, -1);
    return close(file) == 0 ? absl::OkStatus() : FileError(path_);
  }

 private:
  fs::path path_;
  int file_ = -1;
};

absl::Status WriteWhole(const fs::path& path, std::string_view bytes) {
  NewFile file;
  RETURN_IF_ERROR(file.Create(path));
  RETURN_IF_ERROR(file.Write(bytes));
  return file.Close();
}

// A document as it was written.
struct WrittenDocument {
  pb::ExportedDocument document;
  // Below the folder: "enrolment/cv.pdf".
  std::string file;
};

struct ServiceExport {
  std::string service;
  Json records = Json::array();
  std::vector<WrittenDocument> documents;
};

// The document whose chunks are coming.
class IncomingDocument {
 public:
  absl::Status Begin(const fs::path& path, const pb::ExportedDocument& said) {
    said_ = said;
    RETURN_IF_ERROR(file_.Create(path));
    open_ = true;
    return absl::OkStatus();
  }
  absl::Status Add(const std::string& bytes) {
    if (!open_) return absl::DataLossError("des octets d’aucun document");
    received_ += static_cast<int64_t>(bytes.size());
    digest_.Update(bytes);
    return file_.Write(bytes);
  }
  // Whether all of it has come, as it was sent.
  absl::Status End() {
    if (!std::exchange(open_, false)) return absl::OkStatus();
    RETURN_IF_ERROR(file_.Close());
    if (received_ == said_.byte_size() &&
        digest_.FinishHex() == said_.sha256()) {
      return absl::OkStatus();
    }
    return absl::DataLossError(Cat("le document « ", said_.file_name(),
                                   " » de ", said_.resource(),
                                   " n’est pas arrivé tel qu’il est conservé"));
  }

 private:
  pb::ExportedDocument said_;
  NewFile file_;
  crypto::Sha256 digest_;
  int64_t received_ = 0;
  bool open_ = false;
};

absl::StatusOr<Json> JsonOf(const google::protobuf::Message& message) {
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(message, &text).ok()) {
    return absl::DataLossError("un enregistrement ne se laisse pas écrire");
  }
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

absl::StatusOr<ServiceExport> Receive(const PrivacyClient& from,
                                      const std::string& person,
                                      const fs::path& folder) {
  ServiceExport exported{.service = from.service};
  const fs::path documents = folder / from.service;
  std::set<std::string> taken;
  std::optional<IncomingDocument> incoming;
  pb::ExportPersonRequest request;
  request.set_name(person);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kExportTime));
  const auto reader = from.client.stub().ExportPerson(&context, request);
  // What is left of a stream that is given up.
  const absl::Cleanup cancel = [&context] { context.TryCancel(); };
  pb::ExportPersonResponse piece;
  while (reader->Read(&piece)) {
    if (piece.has_chunk()) {
      if (!incoming.has_value()) incoming.emplace();
      RETURN_IF_ERROR(incoming->Add(piece.chunk()));
      continue;
    }
    if (incoming.has_value()) RETURN_IF_ERROR(incoming->End());
    incoming.reset();
    if (piece.has_record()) {
      ASSIGN_OR_RETURN(Json record, JsonOf(piece.record()));
      exported.records.push_back(std::move(record));
    } else if (piece.has_document()) {
      if (mkdir(documents.c_str(), 0700) != 0 && errno != EEXIST) {
        return FileError(documents);
      }
      const std::string name =
          SafeFileName(piece.document().file_name(), taken);
      RETURN_IF_ERROR(
          incoming.emplace().Begin(documents / name, piece.document()));
      exported.documents.push_back(
          {piece.document(), Cat(from.service, "/", name)});
    }
  }
  RETURN_IF_ERROR(rpc::FromGrpcStatus(reader->Finish()));
  if (incoming.has_value()) RETURN_IF_ERROR(incoming->End());
  return exported;
}

absl::Status WriteJson(const ServiceExport& exported, const std::string& person,
                       const fs::path& folder) {
  Json json = {{"service", exported.service},
               {"person", person},
               {"records", exported.records},
               {"documents", Json::array()}};
  for (const WrittenDocument& written : exported.documents) {
    ASSIGN_OR_RETURN(Json document, JsonOf(written.document));
    document["file"] = written.file;
    json["documents"].push_back(std::move(document));
  }
  return WriteWhole(folder / Cat(exported.service, ".json"),
                    json.dump(2, ' ', /*ensure_ascii=*/false,
                              Json::error_handler_t::replace) +
                        "\n");
}

std::string_view ServiceText(std::string_view service) {
  if (service == "enrolment") return "inscriptions : candidatures, contrats";
  if (service == "scheduling") return "calendrier et émargements";
  if (service == "evaluation") return "évaluation, jury, certificats";
  return "";
}

// What a record is, for somebody who does not know the contract.
std::string_view KindText(std::string_view kind) {
  static const auto* const texts =
      new std::map<std::string_view, std::string_view>{
          {"person", "identité et coordonnées"},
          {"application", "candidatures"},
          {"agreement", "contrats et conventions"},
          {"enrolment", "inscriptions"},
          {"place", "explications du rang et de la place"},
          {"erasure", "effacement"},
          {"rosterEntry", "présences sur une liste de stagiaires"},
          {"halfDay", "demi-journées"},
          {"attendanceEntry", "émargements et absences"},
          {"completionRecord", "certificats de réalisation"},
          {"validationNote", "notes de validation"},
          {"noteVersion", "versions de notes de validation"},
          {"noteReader", "lectures de notes de validation"},
          {"conflict", "conflits d’intérêts déclarés"},
          {"jury", "jurys"},
          {"decision", "décisions de jury"},
          {"result", "résultats"},
          {"appeal", "recours"},
          {"certificate", "certificats"}};
  const auto found = texts->find(kind);
  return found == texts->end() ? kind : found->second;
}

std::string_view TextOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string()
             ? std::string_view(found->get_ref<const std::string&>())
             : std::string_view();
}

// "23/11/2026 10:05" of an instant of JSON; the text itself where it is none.
std::string Instant(std::string_view text) {
  absl::Time time;
  std::string ignored;
  if (!absl::ParseTime(absl::RFC3339_full, AbslView(text), &time, &ignored)) {
    return std::string(text);
  }
  return absl::FormatTime("%d/%m/%Y %H:%M", time, ParisZone());
}

// Who read or changed something, on one line. Who asks for their own export is
// told the roles of others, not who these were.
std::string AccessLine(const Json& access) {
  std::string_view method = TextOf(access, "method");
  if (const std::size_t slash = method.rfind('/');
      slash != std::string_view::npos) {
    method.remove_prefix(slash + 1);
  }
  std::string who(TextOf(access, "subject"));
  if (const auto roles = access.find("roles");
      who.empty() && roles != access.end() && roles->is_array()) {
    for (const Json& role : *roles) {
      if (!role.is_string()) continue;
      CatTo(who, who.empty() ? "" : ", ", role.get_ref<const std::string&>());
    }
  }
  return Cat(Instant(TextOf(access, "time")), "  ", who,
             TextOf(access, "action") == "READ" ? "  a lu  " : "  a modifié  ",
             method);
}

std::string_view Plural(std::size_t count) { return count < 2 ? "" : "s"; }

void AppendIndex(const ServiceExport& exported, std::ostream& index) {
  index << "\n== " << exported.service << " (" << ServiceText(exported.service)
        << ")\n"
        << "Le détail est dans " << exported.service << ".json.\n";
  std::map<std::string, int> kinds;
  std::vector<std::string> accesses;
  for (const Json& record : exported.records) {
    const std::string kind(TextOf(record, "kind"));
    if (kind != "access") {
      ++kinds[kind];
    } else if (record.contains("content")) {
      accesses.push_back(AccessLine(record["content"]));
    }
  }
  for (const auto& [kind, count] : kinds) {
    index << "  " << KindText(kind) << " : " << count << '\n';
  }
  if (kinds.empty()) index << "  aucun enregistrement\n";
  if (!exported.documents.empty()) {
    index << "Documents :\n";
    for (const WrittenDocument& written : exported.documents) {
      index << "  " << written.file << "  " << written.document.kind() << ", "
            << written.document.byte_size() << " octets, de "
            << written.document.resource() << "\n    SHA-256 "
            << written.document.sha256() << '\n';
    }
  }
  if (!accesses.empty()) {
    index << "Qui a lu ou modifié quoi, et quand :\n";
    for (const std::string& line : accesses) index << "  " << line << '\n';
  }
}

std::string IndexOf(const std::string& person,
                    const std::vector<ServiceExport>& exports,
                    const std::vector<std::string>& left_out) {
  std::ostringstream index;
  index << "Données personnelles conservées sur " << person << "\nExportées le "
        << absl::FormatTime("%d/%m/%Y à %H:%M", absl::Now(), ParisZone())
        << " (RGPD, articles 15 et 20)\n\n"
           "Ce dossier contient tout ce que les services de Parcours "
           "conservent sur cette personne :\nun fichier JSON par service, les "
           "documents dans un dossier au nom du service, tels qu’ils\nont été "
           "déposés. Il ne contient ni papiers, ni courriels, ni ce que des "
           "partenaires ont\nreçu et gardent de leur côté.\n";
  for (const std::string& service : left_out) {
    index << "\nATTENTION : le service " << service
          << " n’a pas été interrogé.\n";
  }
  for (const ServiceExport& exported : exports) AppendIndex(exported, index);
  return index.str();
}

// Whether `folder` may be written to: not there, or empty. Makes it.
absl::Status Prepare(const fs::path& folder) {
  if (mkdir(folder.c_str(), 0700) == 0) return absl::OkStatus();
  if (errno != EEXIST) return FileError(folder);
  std::error_code error;
  const bool empty = fs::is_directory(fs::symlink_status(folder, error)) &&
                     fs::is_empty(folder, error);
  if (error || !empty) {
    return absl::FailedPreconditionError(
        Cat(folder.string(), " existe et n’est pas un dossier vide."));
  }
  return chmod(folder.c_str(), 0700) == 0 ? absl::OkStatus()
                                          : FileError(folder);
}

void RemoveContents(const fs::path& folder) {
  std::error_code ignored;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(folder, ignored)) {
    fs::remove_all(entry.path(), ignored);
  }
}

std::size_t CountAccesses(const ServiceExport& exported) {
  return static_cast<std::size_t>(std::count_if(
      exported.records.begin(), exported.records.end(),
      [](const Json& record) { return TextOf(record, "kind") == "access"; }));
}

}  // namespace

std::string SafeFileName(std::string_view name, std::set<std::string>& taken) {
  std::string safe;
  for (const char c : name) {
    const bool plain = absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                       c == '-' || c == '_' || c == '.';
    safe.push_back(plain ? c : '_');
  }
  if (safe.size() > kLongestFileName) {
    // The end says what kind of file it is.
    safe.erase(0, safe.size() - kLongestFileName);
  }
  if (safe.empty()) safe = "document";
  if (safe.front() == '.' || safe.front() == '-') safe.front() = '_';
  // Some file systems do not tell upper case from lower.
  std::string unique = safe;
  for (int number = 2; !taken.insert(absl::AsciiStrToLower(unique)).second;
       ++number) {
    unique = Cat(number, "-", safe);
  }
  return unique;
}

ExitCode ExportPersonCommand(const ServiceAddresses& addresses,
                             const std::vector<std::string>& arguments,
                             const std::string& folder, std::ostream& out,
                             std::ostream& errors) {
  constexpr std::string_view kUsageText =
      "parcours person export NAME --to FOLDER";
  if (!IsOnePerson(arguments, kUsageText, errors)) return kUsage;
  if (folder.empty()) {
    errors << kUsageText << '\n';
    return kUsage;
  }
  const std::string& person = arguments[0];
  if (const absl::Status ready = Prepare(folder); !ready.ok()) {
    errors << ready.message() << '\n';
    return kUsage;
  }
  ExitCode code = kSuccess;
  std::vector<ServiceExport> exports;
  for (const PrivacyClient& client : PrivacyClients(addresses)) {
    auto exported = Receive(client, person, folder);
    absl::Status status = exported.status();
    if (status.ok()) status = WriteJson(*exported, person, folder);
    if (!status.ok()) {
      TellFailure(client.service, status, errors, code);
      break;
    }
    exports.push_back(*std::move(exported));
  }
  std::vector<std::string> left_out;
  for (const auto& [service, address] :
       {std::pair("scheduling", &addresses.scheduling),
        std::pair("evaluation", &addresses.evaluation)}) {
    if (address->empty()) left_out.emplace_back(service);
  }
  if (code == kSuccess) {
    const absl::Status written = WriteWhole(fs::path(folder) / kIndexFile,
                                            IndexOf(person, exports, left_out));
    if (!written.ok()) {
      errors << written.message() << '\n';
      code = kRefused;
    }
  }
  if (code != kSuccess) {
    RemoveContents(folder);
    errors << "Rien n’a été exporté : une partie seule n’est pas une réponse. "
              "À refaire.\n";
    return code;
  }
  for (const ServiceExport& exported : exports) {
    const std::size_t accesses = CountAccesses(exported);
    const std::size_t records = exported.records.size() - accesses;
    out << exported.service << " : " << records << " enregistrement"
        << Plural(records) << ", " << exported.documents.size() << " document"
        << Plural(exported.documents.size()) << ", " << accesses
        << " consultation" << Plural(accesses) << " ou modification"
        << Plural(accesses) << ".\n";
  }
  for (const std::string& service : left_out) {
    out << service << " : n’a pas été interrogé.\n";
  }
  out << "Tout est dans " << folder << " ; lire d’abord " << kIndexFile
      << ". À remettre à la personne, puis à effacer d’ici.\n";
  return kSuccess;
}

}  // namespace parcours::cli
