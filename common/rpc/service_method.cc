#include "common/rpc/service_method.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "common/access/own_key.h"
#include "common/status/error.h"
#include "common/text/view.h"
#include "common/types/resource_name.h"
#include "google/api/annotations.pb.h"

namespace parcours::rpc {
namespace {

const google::protobuf::ServiceDescriptor* FindService(
    std::string_view service) {
  return google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
      std::string(service));
}

access::RoleSet* RolesWithin(ServiceMethod& method, type::v1::Scope scope) {
  switch (scope) {
    case type::v1::SCOPE_BODY:
      return &method.body_roles;
    case type::v1::SCOPE_OWN:
      return &method.own_roles;
    case type::v1::SCOPE_INSTALLATION:
      return &method.installation_roles;
    case type::v1::SCOPE_PUBLIC:
      return &method.public_roles;
    default:
      return nullptr;
  }
}

// The roles that one can have without belonging to a body.
constexpr access::RoleSet WithoutBody() {
  access::RoleSet roles;
  roles.Add(type::v1::ROLE_ADMINISTRATOR);
  roles.Add(type::v1::ROLE_SERVICE);
  roles.Add(type::v1::ROLE_AUDITOR);
  roles.Add(type::v1::ROLE_FEED_READER);
  return roles;
}

// "learner" for ROLE_LEARNER.
std::string KeyNameOf(type::v1::Role role) {
  constexpr std::string_view kPrefix = "ROLE_";
  return absl::AsciiStrToLower(
      AbslView(std::string_view(type::v1::Role_Name(role)))
          .substr(kPrefix.size()));
}

// A role by which one owns what a claim of the principal names.
struct OwningRole {
  type::v1::Role role;
  // First part of its keys.
  std::string key_name;
  std::string access::Principal::*owner;
};

// As the contract says of its roles; looked up once, not on every call.
const std::vector<OwningRole>& OwningRoles() {
  static const auto& owning = *new std::vector<OwningRole>([] {
    std::vector<OwningRole> found;
    const google::protobuf::EnumDescriptor& all = *type::v1::Role_descriptor();
    for (int i = 0; i < all.value_count(); ++i) {
      std::string access::Principal::*owner = nullptr;
      switch (all.value(i)->options().GetExtension(type::v1::own_by)) {
        case type::v1::OWNER_PERSON:
          owner = &access::Principal::person;
          break;
        case type::v1::OWNER_ORGANISATION:
          owner = &access::Principal::organisation;
          break;
        case type::v1::OWNER_FUNDER:
          owner = &access::Principal::funder;
          break;
        default:
          continue;
      }
      const auto role = static_cast<type::v1::Role>(all.value(i)->number());
      found.push_back({role, KeyNameOf(role), owner});
    }
    return found;
  }());
  return owning;
}

// The keys of what is theirs by those of `roles` that say whose it is.
std::vector<std::string> OwnKeys(const access::Principal& principal,
                                 access::RoleSet roles) {
  std::vector<std::string> keys;
  for (const OwningRole& owning : OwningRoles()) {
    const std::string& owner = principal.*owning.owner;
    if (roles.Has(owning.role) && !owner.empty()) {
      keys.push_back(access::OwnKey(owning.key_name, owner));
    }
  }
  if (!roles.empty()) keys.push_back(access::AccountKey(principal.subject));
  return keys;
}

const google::protobuf::FieldDescriptor* NameField(
    const google::protobuf::Descriptor& message, const char* field_name) {
  const google::protobuf::FieldDescriptor* const field =
      message.FindFieldByName(field_name);
  const bool is_one_text =
      field != nullptr && !field->is_repeated() &&
      field->type() == google::protobuf::FieldDescriptor::TYPE_STRING;
  return is_one_text ? field : nullptr;
}

// `parent`, `name`, or the `name` of a resource that the request holds.
std::vector<const google::protobuf::FieldDescriptor*> SubjectOf(
    const google::protobuf::Descriptor& request) {
  for (const char* field_name : {"parent", "name"}) {
    if (const auto* field = NameField(request, field_name)) return {field};
  }
  for (int i = 0; i < request.field_count(); ++i) {
    const google::protobuf::FieldDescriptor* const field = request.field(i);
    if (field->is_repeated() || field->message_type() == nullptr) continue;
    if (const auto* name = NameField(*field->message_type(), "name")) {
      return {field, name};
    }
  }
  return {};
}

}  // namespace

bool OnlyReads(const google::protobuf::MethodDescriptor& method) {
  const google::api::HttpRule& http =
      method.options().GetExtension(google::api::http);
  return http.pattern_case() == google::api::HttpRule::kGet;
}

std::unique_ptr<const ServiceMethod> ReadMethod(
    std::string_view service, std::string_view method,
    const std::vector<std::string>& submissions, telemetry::Metrics& metrics) {
  auto owned =
      std::make_unique<ServiceMethod>(Cat(service, "/", method), metrics);
  ServiceMethod& read = *owned;
  const google::protobuf::ServiceDescriptor* const declared =
      FindService(service);
  const google::protobuf::MethodDescriptor* const descriptor =
      declared == nullptr ? nullptr
                          : declared->FindMethodByName(std::string(method));
  if (descriptor == nullptr) return owned;

  const type::v1::Access& access =
      descriptor->options().GetExtension(type::v1::access);
  read.audit = access.audit();
  for (const type::v1::Grant& grant : access.grants()) {
    access::RoleSet* const within = RolesWithin(read, grant.scope());
    if (within == nullptr) continue;
    for (const int role : grant.roles()) {
      if (role == type::v1::ROLE_UNSPECIFIED) continue;
      within->Add(role);
      read.roles.Add(role);
    }
  }
  if (!read.roles.empty()) {
    read.roles.Add(type::v1::ROLE_ADMINISTRATOR);
    read.installation_roles.Add(type::v1::ROLE_ADMINISTRATOR);
  }

  if (std::find(submissions.begin(), submissions.end(), read.full_name) !=
      submissions.end()) {
    read.work_class = WorkClass::kSubmission;
  } else if (OnlyReads(*descriptor)) {
    read.work_class = WorkClass::kRead;
  }

  const google::protobuf::FieldDescriptor* const request_id =
      descriptor->input_type()->FindFieldByName("request_id");
  if (request_id != nullptr && !request_id->is_repeated() &&
      request_id->type() == google::protobuf::FieldDescriptor::TYPE_STRING) {
    read.request_id = request_id;
  }
  if (read.work_class != WorkClass::kRead) {
    read.subject = SubjectOf(*descriptor->input_type());
  }
  read.rules = &RequestRules::Of(*descriptor->input_type());
  read.redaction = Redaction::Of(*descriptor->output_type());
  return owned;
}

std::string HotKey(const ServiceMethod& method,
                   const google::protobuf::Message& request) {
  constexpr std::size_t kSegments = 4;
  // Not validated yet.
  constexpr std::size_t kMaxBytes = 512;
  const google::protobuf::Message* message = &request;
  for (const google::protobuf::FieldDescriptor* field : method.subject) {
    if (field->message_type() != nullptr) {
      message = &message->GetReflection()->GetMessage(*message, field);
      continue;
    }
    std::string scratch;
    const std::string& name =
        message->GetReflection()->GetStringReference(*message, field, &scratch);
    if (name.size() > kMaxBytes) return "";
    std::string key = FirstSegments(name, kSegments);
    const auto slashes = std::count(key.begin(), key.end(), '/');
    return slashes + 1 == static_cast<int>(kSegments) ? key : "";
  }
  return "";
}

std::vector<std::string> MissingAccess(std::string_view service) {
  std::vector<std::string> missing;
  const google::protobuf::ServiceDescriptor* const declared =
      FindService(service);
  if (declared == nullptr) {
    missing.push_back(Cat(service, " is not in the contract"));
    return missing;
  }
  for (int i = 0; i < declared->method_count(); ++i) {
    const google::protobuf::MethodDescriptor& method = *declared->method(i);
    const type::v1::Access& access =
        method.options().GetExtension(type::v1::access);
    const std::string name = Cat(service, "/", method.name());
    if (access.grants().empty()) {
      missing.push_back(Cat(name, " does not say who may call it"));
    }
    for (const type::v1::Grant& grant : access.grants()) {
      const bool has_roles = std::any_of(
          grant.roles().begin(), grant.roles().end(),
          [](int role) { return role != type::v1::ROLE_UNSPECIFIED; });
      if (!has_roles) {
        missing.push_back(Cat(name, " has a grant without roles"));
      }
      if (grant.scope() == type::v1::SCOPE_UNSPECIFIED) {
        missing.push_back(Cat(name, " has a grant without a scope"));
      }
    }
  }
  return missing;
}

absl::StatusOr<Permission> PermissionOf(const ServiceMethod& method,
                                        const access::Principal& principal) {
  // Anybody may do what is public.
  access::RoleSet nobody;
  nobody.Add(type::v1::ROLE_PUBLIC);
  access::RoleSet acting = principal.roles;
  acting.Add(type::v1::ROLE_PUBLIC);
  acting = acting.And(method.roles);
  const bool serves_all =
      principal.body.empty() && principal.roles.Intersects(WithoutBody());
  if (const access::RoleSet roles = acting.And(method.installation_roles);
      serves_all && !roles.empty()) {
    return Permission{access::Scope::Installation(), roles};
  }
  const access::RoleSet in_body = acting.And(method.body_roles);
  if (serves_all && in_body.Intersects(WithoutBody())) {
    return Permission{access::Scope::Installation(),
                      in_body.And(WithoutBody())};
  }
  if (!principal.body.empty()) {
    // An administrator of one body does in it what any role may.
    if (principal.roles.Has(type::v1::ROLE_ADMINISTRATOR) &&
        !(method.body_roles.empty() && method.own_roles.empty())) {
      access::RoleSet administrator;
      administrator.Add(type::v1::ROLE_ADMINISTRATOR);
      return Permission{access::Scope::Body(principal.body), administrator};
    }
    if (!in_body.empty()) {
      return Permission{access::Scope::Body(principal.body), in_body};
    }
    const access::RoleSet own = acting.And(method.own_roles);
    if (std::vector<std::string> keys = OwnKeys(principal, own);
        !keys.empty()) {
      return Permission{access::Scope::Own(principal.body, std::move(keys)),
                        own};
    }
  }
  if (const access::RoleSet roles = acting.And(method.public_roles);
      !roles.empty()) {
    return Permission{access::Scope::Installation(), roles};
  }
  return MakeError(!principal.roles.empty() && principal.roles.IsWithin(nobody)
                       ? Reason::kUnauthenticated
                       : Reason::kPermissionDenied);
}

}  // namespace parcours::rpc
