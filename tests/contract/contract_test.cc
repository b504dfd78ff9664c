// What holds for the messages of every service: read from the whole contract,
// whichever service it belongs to.

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/rpc/validation.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "google/api/field_behavior.pb.h"
#include "google/api/resource.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor_database.h"
#include "google/protobuf/message.h"
#include "gtest/gtest.h"
#include "parcours/type/v1/field.pb.h"

namespace parcours {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::Message;
using google::protobuf::MessageFactory;
using type::v1::FieldRules;

std::vector<const FileDescriptor*> Contract() {
  std::vector<std::string> names;
  EXPECT_TRUE(
      DescriptorPool::internal_generated_database()->FindAllFileNames(&names));
  std::vector<const FileDescriptor*> files;
  for (const std::string& name : names) {
    if (name.rfind("parcours/", 0) != 0) continue;
    files.push_back(DescriptorPool::generated_pool()->FindFileByName(name));
  }
  return files;
}

void ForEachMessage(const std::function<void(const Descriptor&)>& visit) {
  std::function<void(const Descriptor&)> walk = [&](const Descriptor& message) {
    visit(message);
    for (int i = 0; i < message.nested_type_count(); ++i) {
      walk(*message.nested_type(i));
    }
  };
  for (const FileDescriptor* file : Contract()) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      walk(*file->message_type(i));
    }
  }
}

bool IsOutput(const FieldDescriptor& field) {
  for (const int behavior :
       field.options().GetRepeatedExtension(google::api::field_behavior)) {
    if (behavior == google::api::OUTPUT_ONLY) return true;
  }
  return false;
}

std::set<std::string> ResourceTypes(const FileDescriptor& file) {
  std::set<std::string> types;
  for (const auto& resource :
       file.options().GetRepeatedExtension(google::api::resource_definition)) {
    types.insert(resource.type());
  }
  std::function<void(const Descriptor&)> walk = [&](const Descriptor& message) {
    types.insert(message.options().GetExtension(google::api::resource).type());
    for (int i = 0; i < message.nested_type_count(); ++i) {
      walk(*message.nested_type(i));
    }
  };
  for (int i = 0; i < file.message_type_count(); ++i) {
    walk(*file.message_type(i));
  }
  for (int i = 0; i < file.dependency_count(); ++i) {
    types.merge(ResourceTypes(*file.dependency(i)));
  }
  return types;
}

TEST(ContractTest, IsReadWhole) {
  std::set<std::string> packages;
  for (const FileDescriptor* file : Contract())
    packages.insert(file->package());
  EXPECT_THAT(packages, ::testing::IsSupersetOf(
                            {"parcours.type.v1", "parcours.platform.v1",
                             "parcours.enrolment.v1", "parcours.scheduling.v1",
                             "parcours.evaluation.v1"}));
  EXPECT_GE(Contract().size(), 24U);
}

// A reference to a type that the file does not know is hardly checked.
TEST(ContractTest, EveryReferenceNamesATypeThatItsFileKnows) {
  std::map<const FileDescriptor*, std::set<std::string>> known;
  for (const FileDescriptor* file : Contract()) {
    known.emplace(file, ResourceTypes(*file));
  }
  int references = 0;
  ForEachMessage([&](const Descriptor& message) {
    for (int i = 0; i < message.field_count(); ++i) {
      const google::api::ResourceReference& reference =
          message.field(i)->options().GetExtension(
              google::api::resource_reference);
      for (const std::string& type :
           {reference.type(), reference.child_type()}) {
        if (type.empty()) continue;
        ++references;
        EXPECT_TRUE(known.at(message.file()).contains(type))
            << message.field(i)->full_name() << " refers to " << type;
      }
    }
  });
  EXPECT_GT(references, 100);
}

// One pattern for one type, wherever it is written.
TEST(ContractTest, ATypeHasOnePattern) {
  std::map<std::string, std::string> patterns;
  const auto add = [&](const google::api::ResourceDescriptor& resource,
                       const std::string& where) {
    if (resource.type().empty()) return;
    ASSERT_EQ(resource.pattern_size(), 1) << where;
    const auto [known, added] =
        patterns.emplace(resource.type(), resource.pattern(0));
    EXPECT_EQ(known->second, resource.pattern(0)) << where;
  };
  for (const FileDescriptor* file : Contract()) {
    for (const auto& resource : file->options().GetRepeatedExtension(
             google::api::resource_definition)) {
      add(resource, file->name() + " " + resource.type());
    }
  }
  ForEachMessage([&](const Descriptor& message) {
    add(message.options().GetExtension(google::api::resource),
        message.full_name());
  });
  EXPECT_GT(patterns.size(), 20U);
}

// The shell refuses a malformed name in every field that refers to a resource.
TEST(ContractTest, NoRequestTakesAMalformedName) {
  int checked = 0;
  for (const FileDescriptor* file : Contract()) {
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        const Descriptor& type = *file->service(s)->method(m)->input_type();
        for (int i = 0; i < type.field_count(); ++i) {
          const FieldDescriptor& field = *type.field(i);
          if (!field.options().HasExtension(google::api::resource_reference)) {
            continue;
          }
          for (const std::string& name :
               {std::string("bodies"), std::string("bodies/opale/cohorts"),
                std::string("bodies/../cohorts/x"), std::string("bodies//x"),
                std::string("bodies/opale/nowhere/x"),
                std::string("bodies/O/cohorts/x"), std::string("*"),
                std::string("bodies/opale%2Fcohorts/x/y/z")}) {
            const std::unique_ptr<Message> request(
                MessageFactory::generated_factory()
                    ->GetPrototype(&type)
                    ->New());
            if (field.is_repeated()) {
              request->GetReflection()->AddString(request.get(), &field, name);
            } else {
              request->GetReflection()->SetString(request.get(), &field, name);
            }
            std::unique_ptr<Message> normalised;
            const absl::Status status =
                rpc::RequestRules::Of(type).Check(*request, normalised);
            EXPECT_THAT(
                ViolatedFields(status),
                ::testing::Contains(field.is_repeated() ? field.name() + "[0]"
                                                        : field.name()))
                << field.full_name() << " takes " << name;
            ++checked;
          }
        }
      }
    }
  }
  EXPECT_GT(checked, 500);
}

// Puts `text` into every string that a request may carry.
void Plant(Message& message, const std::string& text, int depth) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  const Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (IsOutput(field) || field.is_map()) continue;
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      if (field.is_repeated()) {
        reflection.AddString(&message, &field, text);
      } else {
        reflection.SetString(&message, &field, text);
      }
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
               depth < 4) {
      Plant(field.is_repeated() ? *reflection.AddMessage(&message, &field)
                                : *reflection.MutableMessage(&message, &field),
            text, depth + 1);
    }
  }
}

// Errors go to logs of callers, and what people write does not.
TEST(ContractTest, NoErrorRepeatsWhatWasSent) {
  const std::string planted = "Plantée-Reconnaissable";
  int refused = 0;
  for (const FileDescriptor* file : Contract()) {
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        const Descriptor& type = *file->service(s)->method(m)->input_type();
        for (const std::string& text :
             {planted, planted + "\a", planted + std::string(100'000, 'x')}) {
          const std::unique_ptr<Message> request(
              MessageFactory::generated_factory()->GetPrototype(&type)->New());
          Plant(*request, text, 0);
          std::unique_ptr<Message> normalised;
          const absl::Status status =
              rpc::RequestRules::Of(type).Check(*request, normalised);
          if (!status.ok()) ++refused;
          EXPECT_THAT(
              status.ToString(absl::StatusToStringMode::kWithEverything),
              ::testing::Not(::testing::HasSubstr("Reconnaissable")))
              << type.full_name();
        }
      }
    }
  }
  EXPECT_GT(refused, 200);
}

// A code that has a form is asked for in that form, in whichever message.
TEST(ContractTest, CodesHaveTheirForm) {
  const std::map<std::string, FieldRules::PatternKind> forms = {
      {"siret", FieldRules::PATTERN_KIND_SIRET},
      {"siren", FieldRules::PATTERN_KIND_SIREN},
      {"activity_number", FieldRules::PATTERN_KIND_ACTIVITY_NUMBER},
      {"email", FieldRules::PATTERN_KIND_EMAIL},
      {"hr_email", FieldRules::PATTERN_KIND_EMAIL},
      {"billing_email", FieldRules::PATTERN_KIND_EMAIL},
      {"postal_code", FieldRules::PATTERN_KIND_POSTAL_CODE},
      {"commune", FieldRules::PATTERN_KIND_COMMUNE},
      {"phone", FieldRules::PATTERN_KIND_PHONE}};
  // Numbers to call as they are printed, for readers and not for machines.
  const std::set<std::string> printed = {"parcours.enrolment.v1.Body.phone",
                                         "parcours.enrolment.v1.Contact.phone"};
  int found = 0;
  ForEachMessage([&](const Descriptor& message) {
    for (int i = 0; i < message.field_count(); ++i) {
      const FieldDescriptor& field = *message.field(i);
      const auto form = forms.find(field.name());
      if (form == forms.end() || IsOutput(field) ||
          field.type() != FieldDescriptor::TYPE_STRING ||
          printed.contains(field.full_name())) {
        continue;
      }
      ++found;
      EXPECT_EQ(field.options().GetExtension(type::v1::rules).pattern_kind(),
                form->second)
          << field.full_name();
    }
  });
  EXPECT_GE(found, 12);
}

}  // namespace
}  // namespace parcours
