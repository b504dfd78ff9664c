#include "clients/cli/audit_commands.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/audit/entry.h"
#include "common/audit/message.h"
#include "common/rpc/convert.h"
#include "common/text/view.h"
#include "common/time/clock.h"
#include "parcours/platform/v1/audit.grpc.pb.h"

namespace parcours::cli {
namespace {

namespace pb = ::parcours::platform::v1;

using AuditClient = Client<pb::AuditService>;
using Stub = pb::AuditService::StubInterface;

constexpr int kLargestPage = 500;
constexpr std::size_t kHexDigits = 64;

struct AuditedService {
  std::string name;
  AuditClient client;
};

std::vector<AuditedService> Audited(const ServiceAddresses& addresses) {
  std::vector<AuditedService> services;
  for (const auto& [name, address] :
       {std::pair("enrolment", addresses.enrolment),
        std::pair("scheduling", addresses.scheduling),
        std::pair("evaluation", addresses.evaluation)}) {
    if (address.empty()) continue;
    services.push_back(
        {name, AuditClient(OpenChannel(address, addresses.access), address)});
  }
  return services;
}

audit::Head HeadOf(const pb::AuditHead& message) {
  return {message.incarnation(), message.position(), message.hash()};
}

// 12 345, with narrow no-break spaces.
std::string Grouped(int64_t number) {
  std::string digits = Cat(number);
  for (std::size_t i = digits.size(); i > 3;) {
    i -= 3;
    digits.insert(i, "\u202f");
  }
  return digits;
}

std::string Counted(int64_t number, std::string_view one,
                    std::string_view many) {
  return Cat(Grouped(number), " ", number < 2 ? one : many);
}

std::string_view FaultText(audit::Tampering kind) {
  switch (kind) {
    case audit::Tampering::kRemoved:
      return "une entrée a été retirée";
    case audit::Tampering::kAltered:
      return "l’entrée a été modifiée";
    case audit::Tampering::kReordered:
      return "l’entrée n’est pas à sa place";
    case audit::Tampering::kTruncated:
      return "la fin de la chaîne manque à partir d’ici";
    case audit::Tampering::kRewritten:
      return "la chaîne a été réécrite : elle ne passe plus par la tête "
             "conservée";
  }
  return "";
}

std::string_view FaultWord(audit::Tampering kind) {
  switch (kind) {
    case audit::Tampering::kRemoved:
      return "REMOVED";
    case audit::Tampering::kAltered:
      return "ALTERED";
    case audit::Tampering::kReordered:
      return "REORDERED";
    case audit::Tampering::kTruncated:
      return "TRUNCATED";
    case audit::Tampering::kRewritten:
      return "REWRITTEN";
  }
  return "";
}

void PrintVerdict(std::ostream& out, const std::string& service,
                  const audit::Verdict& verdict, std::size_t kept) {
  out << service << " : ";
  if (verdict.fault.has_value()) {
    const audit::Fault& fault = *verdict.fault;
    out << "FAUTE à la position " << Grouped(fault.position) << ", "
        << FaultText(fault.kind);
    if (!fault.witness.empty()) out << " (témoin : " << fault.witness << ")";
    out << " [" << FaultWord(fault.kind) << "].\n";
    return;
  }
  out << "chaîne intacte, "
      << Counted(verdict.entries, "entrée vérifiée", "entrées vérifiées");
  if (verdict.redacted > 0) {
    out << " (dont " << Grouped(verdict.redacted)
        << " au contenu réservé à un autre organisme)";
  }
  if (kept == 0) {
    out << " ; aucune tête n’a été conservée ailleurs : une réécriture "
           "complète ne se verrait pas";
  } else {
    out << " ; "
        << Counted(verdict.matching_heads, "tête conservée ailleurs concorde",
                   "têtes conservées ailleurs concordent");
  }
  out << ".\n";
}

// The heads that `witness` has kept of the others, by service.
absl::Status ReadWitnesses(
    const AuditedService& witness,
    std::map<std::string, std::vector<audit::KeptHead>>& kept) {
  const absl::StatusOr<std::vector<pb::AuditHead>> heads = ListAll(
      witness.client, &Stub::ListAuditWitnesses,
      pb::ListAuditWitnessesRequest(),
      [](pb::ListAuditWitnessesResponse & response) -> auto& {
        return *response.mutable_heads();
      });
  if (!heads.ok()) return heads.status();
  for (const pb::AuditHead& head : *heads) {
    kept[head.service()].push_back({HeadOf(head), witness.name});
  }
  return absl::OkStatus();
}

// Every entry that `request` lists, page by page.
absl::Status ForEachEntry(const AuditClient& client,
                          pb::ListAuditEntriesRequest request,
                          absl::FunctionRef<void(const pb::AuditEntry&)> use) {
  request.set_page_size(kLargestPage);
  do {
    const absl::StatusOr<pb::ListAuditEntriesResponse> page =
        client.Call(&Stub::ListAuditEntries, request);
    if (!page.ok()) return page.status();
    for (const pb::AuditEntry& entry : page->entries()) use(entry);
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

absl::StatusOr<audit::Verdict> Verify(
    const AuditedService& service, const std::vector<audit::KeptHead>& kept) {
  const absl::StatusOr<pb::AuditHead> head =
      service.client.Call(&Stub::GetAuditHead, pb::GetAuditHeadRequest());
  if (!head.ok()) return head.status();
  audit::ChainVerifier verifier;
  const absl::Status read =
      ForEachEntry(service.client, pb::ListAuditEntriesRequest(),
                   [&](const pb::AuditEntry& entry) {
                     verifier.Add(audit::FromProto(entry));
                   });
  if (!read.ok()) return read;
  return verifier.Finish(HeadOf(*head), kept);
}

std::string Instant(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%d/%m/%Y %H:%M:%E3S", rpc::TimeOf(time),
                          ParisZone());
}

void PrintEntry(std::ostream& out, const pb::AuditEntry& entry) {
  out << Grouped(entry.position()) << "  ";
  if (entry.redacted()) {
    out << "contenu réservé à un autre organisme\n";
    return;
  }
  const pb::AuditRecord& record = entry.record();
  out << Instant(record.record_time()) << "  " << record.subject() << "  "
      << (record.action() == pb::AuditRecord::ACTION_READ ? "a lu"
                                                          : "a modifié")
      << "  " << record.method() << '\n';
  for (const pb::AuditedResource& resource : record.resources()) {
    out << "    " << resource.name();
    if (resource.version() > 0) {
      out << " (version " << resource.version() << ")";
    }
    out << '\n';
  }
}

// Tells of `status` and keeps the worst code.
void Failed(const std::string& service, const absl::Status& status,
            std::ostream& errors, ExitCode& code) {
  errors << service << " : " << DescribeError(status) << '\n';
  if (code == kSuccess) code = ExitCodeOf(status);
}

}  // namespace

absl::StatusOr<std::vector<FiledHead>> ReadKeptHeads(std::istream& file) {
  std::vector<FiledHead> heads;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    const std::vector<std::string> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
    if (words.empty() || words[0].starts_with('#')) continue;
    FiledHead filed;
    if (words.size() < 4 || !absl::SimpleAtoi(words[2], &filed.head.position) ||
        filed.head.position < 0 || words[3].size() != kHexDigits) {
      return absl::InvalidArgumentError(
          Cat("ligne ", number,
              " : attendu « service incarnation position empreinte »"));
    }
    filed.service = words[0];
    filed.head.incarnation = words[1];
    filed.head.hash = words[3];
    heads.push_back(std::move(filed));
  }
  return heads;
}

ExitCode AuditHeadCommand(const ServiceAddresses& addresses, std::ostream& out,
                          std::ostream& errors) {
  ExitCode code = kSuccess;
  for (const AuditedService& service : Audited(addresses)) {
    const absl::StatusOr<pb::AuditHead> head =
        service.client.Call(&Stub::GetAuditHead, pb::GetAuditHeadRequest());
    if (!head.ok()) {
      Failed(service.name, head.status(), errors, code);
      continue;
    }
    out << service.name << ' ' << head->incarnation() << ' ' << head->position()
        << ' ' << head->hash() << ' '
        << absl::FormatTime(rpc::TimeOf(head->read_time()), absl::UTCTimeZone())
        << '\n';
  }
  return code;
}

ExitCode VerifyAuditCommand(const ServiceAddresses& addresses,
                            const std::string& against, std::ostream& out,
                            std::ostream& errors) {
  ExitCode code = kSuccess;
  std::map<std::string, std::vector<audit::KeptHead>> kept;
  if (!against.empty()) {
    std::ifstream file(against);
    if (!file) {
      errors << "Erreur : " << against << " ne peut pas être lu.\n";
      return kUsage;
    }
    absl::StatusOr<std::vector<FiledHead>> heads = ReadKeptHeads(file);
    if (!heads.ok()) {
      errors << "Erreur : " << against << ", " << heads.status().message()
             << ".\n";
      return kUsage;
    }
    for (FiledHead& filed : *heads) {
      kept[filed.service].push_back({std::move(filed.head), against});
    }
  }
  const std::vector<AuditedService> services = Audited(addresses);
  for (const auto& [name, heads] : kept) {
    if (std::none_of(services.begin(), services.end(),
                     [&name = name](const AuditedService& service) {
                       return service.name == name;
                     })) {
      errors << name << " : conservé dans " << against
             << ", mais n’est pas appelé ; rien n’en est vérifié.\n";
    }
  }
  // Before any chain is read, so that no chain is behind what was kept of it.
  for (const AuditedService& service : services) {
    const absl::Status status = ReadWitnesses(service, kept);
    if (!status.ok()) Failed(service.name, status, errors, code);
  }
  bool faulty = false;
  for (const AuditedService& service : services) {
    const std::vector<audit::KeptHead>& heads = kept[service.name];
    const absl::StatusOr<audit::Verdict> verdict = Verify(service, heads);
    if (!verdict.ok()) {
      Failed(service.name, verdict.status(), errors, code);
      continue;
    }
    PrintVerdict(out, service.name, *verdict, heads.size());
    faulty |= verdict->fault.has_value();
  }
  return faulty ? kRefused : code;
}

ExitCode ListAuditCommand(const ServiceAddresses& addresses,
                          const AuditFilter& filter, std::ostream& out,
                          std::ostream& errors) {
  pb::ListAuditEntriesRequest request;
  request.set_resource(filter.resource);
  request.set_subject(filter.subject);
  if (filter.since != absl::InfinitePast()) {
    *request.mutable_start_time() = rpc::TimestampOf(filter.since);
  }
  if (filter.until != absl::InfiniteFuture()) {
    *request.mutable_end_time() = rpc::TimestampOf(filter.until);
  }
  ExitCode code = kSuccess;
  bool known = false;
  for (const AuditedService& service : Audited(addresses)) {
    if (!filter.service.empty() && service.name != filter.service) continue;
    known = true;
    out << service.name << '\n';
    const absl::Status status = ForEachEntry(
        service.client, request,
        [&](const pb::AuditEntry& entry) { PrintEntry(out, entry); });
    if (!status.ok()) Failed(service.name, status, errors, code);
  }
  if (known) return code;
  errors << "--service : « " << filter.service
         << " » n’est aucun des services appelés.\n";
  return kUsage;
}

}  // namespace parcours::cli
