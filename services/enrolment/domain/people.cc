#include "services/enrolment/domain/people.h"

#include <cstddef>

#include "absl/strings/ascii.h"
#include "common/text/identifiers.h"
#include "common/text/view.h"

namespace parcours::enrolment {
namespace {

void Malformed(std::string_view prefix, std::string_view field,
               std::string_view expected, FieldViolations& violations) {
  violations.Add(Cat(prefix, field), Reason::kFieldMalformed,
                 {{"expected", std::string(expected)}});
}

void CheckSiret(const std::string& siret, std::string_view prefix,
                FieldViolations& violations) {
  if (!siret.empty() && !text::IsSiret(siret)) {
    Malformed(prefix, "siret", "a SIRET of 14 digits", violations);
  }
}

void CheckPhone(const std::string& phone, std::string_view prefix,
                FieldViolations& violations) {
  if (!phone.empty() && !text::IsPhone(phone)) {
    Malformed(prefix, "phone", "an international number such as +33145652000",
              violations);
  }
}

void CheckEmail(const std::string& email, std::string_view prefix,
                std::string_view field, FieldViolations& violations) {
  if (!email.empty() && !text::IsEmail(email)) {
    Malformed(prefix, field, "an e-mail address", violations);
  }
}

void CheckRequired(const std::string& value, std::string_view prefix,
                   std::string_view field, FieldViolations& violations) {
  if (absl::StripAsciiWhitespace(value).empty()) {
    violations.Add(Cat(prefix, field), Reason::kFieldRequired);
  }
}

}  // namespace

void Validate(const std::vector<ExternalId>& ids, std::string_view prefix,
              FieldViolations& violations) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string field = Cat(prefix, "external_ids[", i, "].");
    CheckRequired(ids[i].system, field, "system", violations);
    CheckRequired(ids[i].value, field, "value", violations);
    for (std::size_t j = 0; j < i; ++j) {
      if (ids[j].system == ids[i].system) {
        Malformed(field, "system", "named once", violations);
      }
    }
  }
}

std::string DisplayName(const Person& person) {
  return Cat(person.given_name, " ", person.family_name);
}

void Validate(const Body& body, std::string_view prefix,
              FieldViolations& violations) {
  CheckRequired(body.display_name, prefix, "display_name", violations);
  CheckSiret(body.siret, prefix, violations);
  if (!body.activity_number.empty() &&
      !text::IsActivityNumber(body.activity_number)) {
    Malformed(prefix, "activity_number", "a number of 11 digits", violations);
  }
  CheckEmail(body.email, prefix, "email", violations);
  if (absl::TimeZone zone; !absl::LoadTimeZone(body.time_zone, &zone)) {
    Malformed(prefix, "time_zone", "an IANA time zone", violations);
  }
}

void Validate(const Person& person, std::string_view prefix,
              FieldViolations& violations) {
  CheckRequired(person.given_name, prefix, "given_name", violations);
  CheckRequired(person.family_name, prefix, "family_name", violations);
  CheckRequired(person.email, prefix, "email", violations);
  CheckEmail(person.email, prefix, "email", violations);
  CheckPhone(person.phone, prefix, violations);
  Validate(person.external_ids, prefix, violations);
}

void Validate(const Organisation& organisation, std::string_view prefix,
              FieldViolations& violations) {
  CheckRequired(organisation.display_name, prefix, "display_name", violations);
  CheckSiret(organisation.siret, prefix, violations);
  CheckEmail(organisation.hr_email, prefix, "hr_email", violations);
  CheckEmail(organisation.billing_email, prefix, "billing_email", violations);
  Validate(organisation.external_ids, prefix, violations);
}

}  // namespace parcours::enrolment
