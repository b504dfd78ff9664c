#include "common/privacy/privacy_rpc.h"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/access/own_key.h"
#include "common/audit/trail.h"
#include "common/crypto/digest.h"
#include "common/rpc/convert.h"
#include "common/rpc/redaction.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"
#include "common/types/resource_name.h"
#include "google/protobuf/util/json_util.h"
#include "parcours/type/v1/access.pb.h"

namespace parcours::privacy {
namespace {

namespace pb = ::parcours::platform::v1;

using BodyName = ResourceName<"bodies/*">;
using PersonName = ResourceName<"bodies/*/persons/*">;

constexpr std::size_t kChunkBytes = 65536;
constexpr std::size_t kShownResources = 100;
// Of one reading of the audit trail.
constexpr int kTrailPage = 200;
constexpr absl::Duration kReadTime = absl::Seconds(10);

// PERMISSION_DENIED where `caller` may not see `person`.
absl::Status CheckSees(const access::Caller& caller, const PersonName& person) {
  const access::Scope& scope = caller.scope;
  if (!scope.Whole().Covers(person.body())) {
    return MakeError(Reason::kPermissionDenied);
  }
  if (!scope.is_own()) return absl::OkStatus();
  const std::string key = access::OwnKey("learner", person.text());
  const std::vector<std::string>& keys = scope.keys();
  return std::find(keys.begin(), keys.end(), key) != keys.end()
             ? absl::OkStatus()
             : MakeError(Reason::kPermissionDenied);
}

absl::StatusOr<BodyName> BodyWithin(const access::Caller& caller,
                                    const std::string& parent) {
  ASSIGN_OR_RETURN(BodyName body, BodyName::Parse(parent, "parent"));
  if (!caller.scope.Covers(body.text())) {
    return MakeError(Reason::kPermissionDenied);
  }
  return body;
}

pb::LegalHold ToProto(const LegalHold& hold) {
  pb::LegalHold message;
  message.set_kind(hold.kind);
  message.set_resource(hold.resource);
  message.set_rule(hold.rule);
  message.set_article(hold.article);
  if (hold.until.has_value()) {
    *message.mutable_until_date() = rpc::DateOf(*hold.until);
  }
  return message;
}

// "2 ans".
std::string PeriodFr(const rules::DatedRule& rule) {
  const auto counted = [&](std::string_view one, std::string_view many) {
    return Cat(rule.value, " ", rule.value < 2 ? one : many);
  };
  switch (rule.unit) {
    case rules::RuleUnit::kYears:
      return counted("an", "ans");
    case rules::RuleUnit::kMonths:
      return counted("mois", "mois");
    case rules::RuleUnit::kDays:
      return counted("jour", "jours");
    case rules::RuleUnit::kWorkingDays:
      return counted("jour ouvré", "jours ouvrés");
    case rules::RuleUnit::kHours:
      return counted("heure", "heures");
    case rules::RuleUnit::kMinutes:
      return counted("minute", "minutes");
    case rules::RuleUnit::kBasisPoints:
    case rules::RuleUnit::kCents:
    case rules::RuleUnit::kCount:
    case rules::RuleUnit::kFlag:
      break;
  }
  return Cat(rule.value);
}

// Of everything that is due, and of nothing else: a plan without anything due
// has the etag of every other such plan.
std::string EtagOfPlan(const std::string& body,
                       const std::vector<RetentionClass>& classes) {
  crypto::Sha256 digest;
  const auto add = [&](std::string_view text) {
    digest.Update(Cat(text.size(), ":", text));
  };
  add(body);
  for (const RetentionClass& one : classes) {
    if (one.due.empty()) continue;
    add(one.kind);
    add(one.rule.version);
    add(Cat(one.due.size()));
    for (const std::string& name : one.due) add(name);
  }
  return Cat("\"", digest.FinishHex().substr(0, 32), "\"");
}

pb::RetentionPlan PlanOf(const std::string& body,
                         const std::vector<RetentionClass>& classes,
                         absl::Time now) {
  pb::RetentionPlan plan;
  plan.set_parent(body);
  plan.set_etag(EtagOfPlan(body, classes));
  *plan.mutable_plan_time() = rpc::TimestampOf(now);
  for (const RetentionClass& one : classes) {
    pb::RetentionClass& message = *plan.add_classes();
    message.set_kind(one.kind);
    message.set_description_fr(one.description_fr);
    message.set_rule(one.rule.version);
    message.set_article(one.rule.article);
    message.set_source(one.rule.source);
    message.set_period_fr(PeriodFr(one.rule));
    message.set_starts_fr(one.starts_fr);
    message.set_due_count(static_cast<int64_t>(one.due.size()));
    const std::size_t shown = std::min(one.due.size(), kShownResources);
    for (std::size_t i = 0; i < shown; ++i) message.add_resources(one.due[i]);
  }
  return plan;
}

// What `message` says, as JSON says it.
absl::StatusOr<google::protobuf::Struct> StructOf(
    const google::protobuf::Message& message) {
  std::string json;
  const auto written = google::protobuf::util::MessageToJsonString(
      message, &json, google::protobuf::util::JsonPrintOptions());
  if (!written.ok()) {
    return absl::InternalError(
        Cat("an exported record has no JSON form: ", written.ToString()));
  }
  google::protobuf::Struct content;
  const auto read = google::protobuf::util::JsonStringToMessage(json, &content);
  if (!read.ok()) {
    return absl::InternalError(
        Cat("JSON of an exported record: ", read.ToString()));
  }
  return content;
}

// One export: records, documents with their bytes, then accesses.
class ExportSource final : public rpc::PieceSource<pb::ExportPersonResponse> {
 public:
  ExportSource(storage::Database& database, access::Caller caller,
               const PersonName& person, PersonExport data)
      : database_(database),
        caller_(std::move(caller)),
        person_(person),
        data_(std::move(data)) {
    named_.insert(person.text());
    for (const ExportedRecord& record : data_.records) {
      if (!record.resource.empty()) named_.insert(record.resource);
    }
    for (const ExportedDocument& document : data_.documents) {
      if (!document.resource.empty()) named_.insert(document.resource);
    }
    looked_for_ = named_.begin();
  }

  bool has_end() const override { return true; }

  absl::StatusOr<std::optional<pb::ExportPersonResponse>> Next(
      absl::Time& look_again) override {
    if (next_record_ < data_.records.size()) {
      return Record(data_.records[next_record_++]);
    }
    if (sent_ < bytes_.size()) return Chunk();
    if (next_document_ < data_.documents.size()) {
      return Document(data_.documents[next_document_++]);
    }
    bytes_.clear();
    bytes_.shrink_to_fit();
    if (accesses_.empty() && looked_for_ != named_.end()) {
      RETURN_IF_ERROR(ReadAccesses());
    }
    if (!accesses_.empty()) {
      pb::ExportPersonResponse piece = std::move(accesses_.front());
      accesses_.pop_front();
      return piece;
    }
    if (looked_for_ != named_.end()) look_again = absl::Now();
    return std::nullopt;
  }

 private:
  absl::StatusOr<std::optional<pb::ExportPersonResponse>> Record(
      ExportedRecord& record) {
    if (const rpc::Redaction* redaction =
            rpc::Redaction::Of(*record.content->GetDescriptor())) {
      redaction->Apply(caller_, *record.content);
    }
    pb::ExportPersonResponse piece;
    pb::ExportedRecord& message = *piece.mutable_record();
    message.set_kind(record.kind);
    message.set_resource(record.resource);
    ASSIGN_OR_RETURN(*message.mutable_content(), StructOf(*record.content));
    record.content.reset();
    return piece;
  }

  absl::StatusOr<std::optional<pb::ExportPersonResponse>> Document(
      const ExportedDocument& document) {
    ASSIGN_OR_RETURN(bytes_, document.read());
    sent_ = 0;
    pb::ExportPersonResponse piece;
    pb::ExportedDocument& message = *piece.mutable_document();
    message.set_resource(document.resource);
    message.set_kind(document.kind);
    message.set_file_name(FileName(document.file_name));
    message.set_byte_size(static_cast<int64_t>(bytes_.size()));
    message.set_sha256(document.sha256.empty() ? crypto::Sha256Hex(bytes_)
                                               : document.sha256);
    return piece;
  }

  absl::StatusOr<std::optional<pb::ExportPersonResponse>> Chunk() {
    const std::size_t size = std::min(kChunkBytes, bytes_.size() - sent_);
    pb::ExportPersonResponse piece;
    piece.set_chunk(bytes_.substr(sent_, size));
    sent_ += size;
    return piece;
  }

  // `name`, with a number before its ending where it was given before.
  std::string FileName(const std::string& name) {
    std::string unique = name;
    for (int number = 2; !file_names_.insert(unique).second; ++number) {
      const std::size_t dot = std::min(name.rfind('.'), name.size());
      unique = Cat(std::string_view(name).substr(0, dot), "-", number,
                   std::string_view(name).substr(dot));
    }
    return unique;
  }

  // One page of the trail of one of the resources.
  absl::Status ReadAccesses() {
    ASSIGN_OR_RETURN(
        const audit::TrailPage page,
        audit::ReadTrail(
            database_,
            {.scope = access::Scope::Body(person_.body()),
             .after = after_,
             .limit = kTrailPage,
             .resource = *looked_for_,
             .deadline = std::min(caller_.deadline, absl::Now() + kReadTime)}));
    for (const audit::ChainedEntry& entry : page.entries) {
      if (entry.entry.has_value() && told_.insert(entry.position).second) {
        AddAccess(*entry.entry);
      }
    }
    after_ = page.next_after.value_or(0);
    if (!page.next_after.has_value()) ++looked_for_;
    return absl::OkStatus();
  }

  bool IsTheirs(const std::string& resource) const {
    return named_.contains(resource) ||
           resource.starts_with(Cat(person_.text(), "/"));
  }

  // Of an entry that names others too, only what is the person's is told.
  void AddAccess(const audit::Entry& entry) {
    std::vector<std::string> theirs;
    for (const audit::Resource& resource : entry.resources) {
      if (IsTheirs(resource.name)) theirs.push_back(resource.name);
    }
    if (theirs.empty()) return;
    pb::ExportPersonResponse piece;
    pb::ExportedRecord& record = *piece.mutable_record();
    record.set_kind("access");
    auto& fields = *record.mutable_content()->mutable_fields();
    fields["time"].set_string_value(absl::FormatTime(
        absl::RFC3339_full, entry.record_time, absl::UTCTimeZone()));
    fields["action"].set_string_value(
        std::string(audit::ActionName(entry.action)));
    fields["method"].set_string_value(entry.method);
    auto& roles = *fields["roles"].mutable_list_value();
    for (int role = 0; role < type::v1::Role_ARRAYSIZE; ++role) {
      if ((entry.roles >> role & 1) != 0) {
        roles.add_values()->set_string_value(
            type::v1::Role_Name(static_cast<type::v1::Role>(role)));
      }
    }
    // The persons themselves learn in which roles others saw their data, not
    // who these were (Court of Justice, C-579/21).
    if (!caller_.scope.is_own() || entry.subject == caller_.principal.subject) {
      fields["subject"].set_string_value(entry.subject);
    }
    auto& resources = *fields["resources"].mutable_list_value();
    for (std::string& name : theirs) {
      resources.add_values()->set_string_value(std::move(name));
    }
    accesses_.push_back(std::move(piece));
  }

  storage::Database& database_;
  const access::Caller caller_;
  const PersonName person_;
  PersonExport data_;
  std::size_t next_record_ = 0;
  std::size_t next_document_ = 0;
  // Of the document that is being sent.
  std::string bytes_;
  std::size_t sent_ = 0;
  std::set<std::string> file_names_;
  // The resources whose accesses are told, the next of them, the position in
  // its trail, and what was told already.
  std::set<std::string> named_;
  std::set<std::string>::const_iterator looked_for_;
  int64_t after_ = 0;
  std::set<int64_t> told_;
  std::deque<pb::ExportPersonResponse> accesses_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<rpc::PieceSource<pb::ExportPersonResponse>>>
PrivacyRpc::ExportPerson(const rpc::CallContext& call,
                         const pb::ExportPersonRequest& request,
                         rpc::WakeStream /*wake*/) {
  ASSIGN_OR_RETURN(const PersonName person, PersonName::Parse(request.name()));
  RETURN_IF_ERROR(CheckSees(call.caller, person));
  ASSIGN_OR_RETURN(PersonExport data,
                   personal_data_.Export(call.caller, person.text()));
  return std::make_unique<ExportSource>(database_, call.caller, person,
                                        std::move(data));
}

absl::StatusOr<pb::ListLegalHoldsResponse> PrivacyRpc::ListLegalHolds(
    const rpc::CallContext& call, const pb::ListLegalHoldsRequest& request) {
  ASSIGN_OR_RETURN(const PersonName person, PersonName::Parse(request.name()));
  RETURN_IF_ERROR(CheckSees(call.caller, person));
  ASSIGN_OR_RETURN(std::vector<LegalHold> holds,
                   personal_data_.Holds(call.caller, person.text()));
  std::sort(holds.begin(), holds.end(),
            [](const LegalHold& a, const LegalHold& b) {
              return std::tie(a.resource, a.kind, a.until) <
                     std::tie(b.resource, b.kind, b.until);
            });
  pb::ListLegalHoldsResponse response;
  for (const LegalHold& hold : holds) *response.add_holds() = ToProto(hold);
  return response;
}

absl::StatusOr<pb::RetentionPlan> PrivacyRpc::PlanRetention(
    const rpc::CallContext& call, const pb::PlanRetentionRequest& request) {
  ASSIGN_OR_RETURN(const BodyName body,
                   BodyWithin(call.caller, request.parent()));
  ASSIGN_OR_RETURN(const std::vector<RetentionClass> due,
                   personal_data_.Due(call.caller, body.text()));
  return PlanOf(body.text(), due, call.caller.now);
}

absl::StatusOr<pb::RetentionPlan> PrivacyRpc::ApplyRetention(
    const rpc::CallContext& call, const pb::ApplyRetentionRequest& request) {
  ASSIGN_OR_RETURN(const BodyName body,
                   BodyWithin(call.caller, request.parent()));
  std::optional<std::vector<RetentionClass>> agreed;
  const auto check =
      [&](const std::vector<RetentionClass>& found) -> absl::Status {
    agreed.reset();
    if (EtagOfPlan(body.text(), found) != request.etag()) {
      return MakeError(Reason::kEtagMismatch,
                       {{"resource", Cat(body.text(), "/retentionPlan")}});
    }
    agreed = found;
    return absl::OkStatus();
  };
  ASSIGN_OR_RETURN(std::vector<RetentionClass> removed,
                   personal_data_.RemoveDue(call.caller, body.text(), check));
  if (agreed.has_value()) return PlanOf(body.text(), *agreed, call.caller.now);
  // The request had been made before: the transaction that looks for what is
  // due did not run. What was removed then is not kept anywhere.
  if (removed.empty()) {
    ASSIGN_OR_RETURN(removed, personal_data_.Due(call.caller, body.text()));
  }
  for (RetentionClass& one : removed) one.due.clear();
  pb::RetentionPlan replay = PlanOf(body.text(), removed, call.caller.now);
  replay.set_etag(request.etag());
  return replay;
}

}  // namespace parcours::privacy
