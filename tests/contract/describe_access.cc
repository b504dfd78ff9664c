// Writes docs/access.md: who may call which method, and read which field, as
// the contract says it.
//
//   describe_access --markdown FILE   writes it
//   describe_access --check FILE      status 1 when FILE says something else

#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "common/text/view.h"
#include "google/protobuf/descriptor.h"
#include "parcours/enrolment/v1/api_client.pb.h"
#include "parcours/enrolment/v1/application.pb.h"
#include "parcours/enrolment/v1/enrolment.pb.h"
#include "parcours/enrolment/v1/erasure.pb.h"
#include "parcours/enrolment/v1/people.pb.h"
#include "parcours/enrolment/v1/programme_service.pb.h"
#include "parcours/evaluation/v1/assessment_plan.pb.h"
#include "parcours/evaluation/v1/certificate.pb.h"
#include "parcours/evaluation/v1/jury.pb.h"
#include "parcours/evaluation/v1/result.pb.h"
#include "parcours/evaluation/v1/roster.pb.h"
#include "parcours/evaluation/v1/validation_note.pb.h"
#include "parcours/gateway/v1/webhook.pb.h"
#include "parcours/platform/v1/audit.pb.h"
#include "parcours/platform/v1/caller.pb.h"
#include "parcours/platform/v1/change_feed.pb.h"
#include "parcours/platform/v1/clock.pb.h"
#include "parcours/platform/v1/privacy.pb.h"
#include "parcours/platform/v1/upload.pb.h"
#include "parcours/scheduling/v1/attendance.pb.h"
#include "parcours/scheduling/v1/calendar.pb.h"
#include "parcours/scheduling/v1/completion.pb.h"
#include "parcours/scheduling/v1/venue.pb.h"
#include "parcours/type/v1/access.pb.h"

namespace parcours {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

std::vector<const FileDescriptor*> Contract() {
  return {
      platform::v1::GetTimeRequest::descriptor()->file(),
      platform::v1::ListChangesRequest::descriptor()->file(),
      platform::v1::GetCallerRequest::descriptor()->file(),
      platform::v1::AuditEntry::descriptor()->file(),
      platform::v1::Upload::descriptor()->file(),
      platform::v1::RetentionPlan::descriptor()->file(),
      enrolment::v1::CreateBodyRequest::descriptor()->file(),
      enrolment::v1::Person::descriptor()->file(),
      enrolment::v1::Application::descriptor()->file(),
      enrolment::v1::Enrolment::descriptor()->file(),
      enrolment::v1::Erasure::descriptor()->file(),
      enrolment::v1::ApiClient::descriptor()->file(),
      scheduling::v1::Venue::descriptor()->file(),
      scheduling::v1::Calendar::descriptor()->file(),
      scheduling::v1::AttendanceEntry::descriptor()->file(),
      scheduling::v1::CompletionRecord::descriptor()->file(),
      evaluation::v1::AssessmentPlan::descriptor()->file(),
      evaluation::v1::ValidationNote::descriptor()->file(),
      evaluation::v1::Jury::descriptor()->file(),
      evaluation::v1::Result::descriptor()->file(),
      evaluation::v1::Certificate::descriptor()->file(),
      evaluation::v1::RosterEntry::descriptor()->file(),
      gateway::v1::Webhook::descriptor()->file(),
  };
}

// "jury member" for ROLE_JURY_MEMBER.
std::string RoleName(int role) {
  constexpr std::string_view kPrefix = "ROLE_";
  const std::string name =
      type::v1::Role_Name(static_cast<type::v1::Role>(role));
  return absl::StrReplaceAll(
      absl::AsciiStrToLower(absl::string_view(name).substr(kPrefix.size())),
      {{"_", " "}});
}

template <typename Roles>
std::string RoleNames(const Roles& roles) {
  std::vector<std::string> names;
  for (const int role : roles) names.push_back(RoleName(role));
  return absl::StrJoin(names, ", ");
}

std::string Grants(const type::v1::Access& access, type::v1::Scope scope) {
  std::vector<std::string> roles;
  for (const type::v1::Grant& grant : access.grants()) {
    if (grant.scope() == scope) roles.push_back(RoleNames(grant.roles()));
  }
  return roles.empty() ? "–" : absl::StrJoin(roles, ", ");
}

std::string_view AuditText(type::v1::Audit audit) {
  switch (audit) {
    case type::v1::AUDIT_PERSONAL_READ:
      return "read";
    case type::v1::AUDIT_SENSITIVE_READ:
      return "read, before the answer";
    default:
      return "–";
  }
}

// Every field below `type` that names its readers, once.
void CollectRestricted(const Descriptor& type,
                       std::set<const Descriptor*>& seen,
                       std::vector<const FieldDescriptor*>& restricted) {
  if (!seen.insert(&type).second) return;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* const field = type.field(i);
    if (field->options().HasExtension(type::v1::readers)) {
      restricted.push_back(field);
    }
    if (field->message_type() != nullptr) {
      CollectRestricted(*field->message_type(), seen, restricted);
    }
  }
}

std::string Owner(type::v1::Owner owner) {
  switch (owner) {
    case type::v1::OWNER_PERSON:
      return "`parcours_person`";
    case type::v1::OWNER_ORGANISATION:
      return "`parcours_organisation`";
    case type::v1::OWNER_FUNDER:
      return "`parcours_funder`";
    default:
      return "";
  }
}

std::string Markdown() {
  std::string text =
      "# Access\n\n"
      "Generated from the `parcours.type.v1.access` option of every method "
      "and the\n`parcours.type.v1.readers` option of fields by `cmake --build "
      "build/dev --target\ndocs_access`; not edited by hand. The services read "
      "the same options: what is not\nin this table is refused.\n\n"
      "- **Body**: everything of the caller’s own body; services, "
      "administrators and\n  auditors who belong to no body, everything.\n"
      "- **Own**: within their body, what is the caller’s own by that "
      "role, and what\n  they sent from their account.\n"
      "- **Installation**: everything.\n"
      "- **Public**: anybody, without a credential; one fact at a time.\n\n"
      "An administrator may call every method. Absent and forbidden are one "
      "answer,\n`PERMISSION_DENIED`, for all who do not see the whole "
      "installation. *Audit* says\nwhat the audit trail keeps of a read; "
      "changes are always kept.\n\n"
      "## What is one’s own\n\n"
      "| Role | Found by the claim |\n| --- | --- |\n";
  const google::protobuf::EnumDescriptor& roles = *type::v1::Role_descriptor();
  for (int i = 0; i < roles.value_count(); ++i) {
    const type::v1::Owner owner =
        roles.value(i)->options().GetExtension(type::v1::own_by);
    if (owner == type::v1::OWNER_UNSPECIFIED) continue;
    CatTo(text, "| ", RoleName(roles.value(i)->number()), " | ", Owner(owner),
          " |\n");
  }
  std::set<const Descriptor*> seen;
  std::vector<const FieldDescriptor*> restricted;
  for (const FileDescriptor* const file : Contract()) {
    for (int s = 0; s < file->service_count(); ++s) {
      const google::protobuf::ServiceDescriptor& service = *file->service(s);
      CatTo(text, "\n## ", service.full_name(),
            "\n\n| Method | Body | Own | Installation | Public | Audit |\n"
            "| --- | --- | --- | --- | --- | --- |\n");
      for (int m = 0; m < service.method_count(); ++m) {
        const google::protobuf::MethodDescriptor& method = *service.method(m);
        const type::v1::Access& access =
            method.options().GetExtension(type::v1::access);
        CatTo(text, "| `", method.name(), "` | ",
              Grants(access, type::v1::SCOPE_BODY), " | ",
              Grants(access, type::v1::SCOPE_OWN), " | ",
              Grants(access, type::v1::SCOPE_INSTALLATION), " | ",
              Grants(access, type::v1::SCOPE_PUBLIC), " | ",
              AuditText(access.audit()), " |\n");
        CollectRestricted(*method.output_type(), seen, restricted);
      }
    }
  }
  CatTo(text,
        "\n## Fields\n\nFor all others these are as if they had no value. Who "
        "calls by several roles\nwithin their own reads a field when each of "
        "those roles may.\n\n| Field | Readers |\n| --- | --- |\n");
  for (const FieldDescriptor* const field : restricted) {
    CatTo(text, "| `", field->full_name(), "` | ",
          RoleNames(field->options().GetExtension(type::v1::readers).roles()),
          " |\n");
  }
  return text;
}

int Main(std::string_view command, const std::string& path) {
  const std::string text = Markdown();
  if (command == "--markdown") {
    std::ofstream file(path, std::ios::binary);
    file << text;
    return file.flush() ? 0 : 1;
  }
  if (command == "--check") {
    std::ifstream file(path, std::ios::binary);
    const std::string found{std::istreambuf_iterator<char>(file), {}};
    if (found == text) return 0;
    std::cerr << path
              << " is not what the contract says: cmake --build build/dev "
                 "--target docs_access\n";
    return 1;
  }
  return 2;
}

}  // namespace
}  // namespace parcours

int main(int argc, char** argv) {
  if (argc == 3) return parcours::Main(argv[1], argv[2]);
  std::cerr << "usage: describe_access --markdown|--check FILE\n";
  return 2;
}
