#include "common/rpc/redaction.h"

#include <map>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "parcours/type/v1/access.pb.h"

namespace parcours::rpc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

bool MayRead(const access::Caller& caller, access::RoleSet readers) {
  if (caller.acting_roles.Has(type::v1::ROLE_ADMINISTRATOR)) return true;
  return caller.scope.is_own() ? caller.acting_roles.IsWithin(readers)
                               : caller.acting_roles.Intersects(readers);
}

// Whether a field of `type`, at any depth, names its readers.
bool HidesSomething(const Descriptor& type,
                    absl::flat_hash_set<const Descriptor*>& seen) {
  if (!seen.insert(&type).second) return false;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.options().HasExtension(type::v1::readers)) return true;
    if (field.message_type() != nullptr &&
        HidesSomething(*field.message_type(), seen)) {
      return true;
    }
  }
  return false;
}

}  // namespace

class Redaction::Registry {
 public:
  const Redaction* Of(const Descriptor& type) {
    const absl::MutexLock lock(&mutex_);
    return Make(type);
  }

 private:
  const Redaction* Make(const Descriptor& type)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    absl::flat_hash_set<const Descriptor*> seen;
    if (!HidesSomething(type, seen)) return nullptr;
    const auto [entry, added] = made_.try_emplace(&type);
    if (!added) return entry->second.get();
    // Known before its fields are looked at: a type may contain itself.
    auto* const redaction = new Redaction;
    entry->second.reset(redaction);
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor* const field = type.field(i);
      if (field->options().HasExtension(type::v1::readers)) {
        access::RoleSet readers;
        for (const int role :
             field->options().GetExtension(type::v1::readers).roles()) {
          readers.Add(role);
        }
        redaction->restricted_.push_back({field, readers});
      }
      if (field->message_type() == nullptr) continue;
      if (const Redaction* const of = Make(*field->message_type());
          of != nullptr) {
        redaction->nested_.push_back({field, of});
      }
    }
    return redaction;
  }

  absl::Mutex mutex_;
  std::map<const Descriptor*, std::unique_ptr<const Redaction>> made_
      ABSL_GUARDED_BY(mutex_);
};

const Redaction* Redaction::Of(const Descriptor& type) {
  static auto& registry = *new Registry;
  return registry.Of(type);
}

void Redaction::Apply(const access::Caller& caller, Message& answer) const {
  const Reflection& reflection = *answer.GetReflection();
  for (const Restricted& restricted : restricted_) {
    if (!MayRead(caller, restricted.readers)) {
      reflection.ClearField(&answer, restricted.field);
    }
  }
  for (const Nested& nested : nested_) {
    if (nested.field->is_repeated()) {
      const int size = reflection.FieldSize(answer, nested.field);
      for (int i = 0; i < size; ++i) {
        nested.of->Apply(caller, *reflection.MutableRepeatedMessage(
                                     &answer, nested.field, i));
      }
    } else if (reflection.HasField(answer, nested.field)) {
      nested.of->Apply(caller,
                       *reflection.MutableMessage(&answer, nested.field));
    }
  }
}

}  // namespace parcours::rpc
