#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_PEOPLE_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_PEOPLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "common/status/error.h"
#include "services/enrolment/domain/names.h"

namespace parcours::enrolment {

// The identifier of a resource in another system.
struct ExternalId {
  std::string system;
  std::string value;
  friend bool operator==(const ExternalId&, const ExternalId&) = default;
};

// A training body.
struct Body {
  BodyName name;
  std::string display_name;
  std::string legal_name;
  std::string siret;
  std::string activity_number;
  std::vector<std::string> address_lines;
  std::string email;
  std::string phone;
  std::string time_zone;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;
  friend bool operator==(const Body&, const Body&) = default;
};

// A person with a civil identity; one who was erased has nothing but a name in
// the record.
struct Person {
  PersonName name;
  std::string given_name;
  std::string family_name;
  std::string birth_name;
  std::string email;
  std::string phone;
  std::vector<ExternalId> external_ids;
  std::optional<absl::Time> erase_time;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;
  friend bool operator==(const Person&, const Person&) = default;
};

// An employer, a funder or a public buyer.
struct Organisation {
  OrganisationName name;
  std::string display_name;
  std::string siret;
  std::string opco;
  std::string signatory;
  std::string hr_email;
  std::string billing_email;
  bool public_buyer = false;
  std::string invoice_service_code;
  std::vector<ExternalId> external_ids;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;
  friend bool operator==(const Organisation&, const Organisation&) = default;
};

// "Prénom Nom", as the person is called.
std::string DisplayName(const Person& person);

// Adds what is wrong with the identifiers, under `prefix` + "external_ids[i].":
// one for each system, neither empty.
void Validate(const std::vector<ExternalId>& ids, std::string_view prefix,
              FieldViolations& violations);

// Adds what is wrong with the resource, under `prefix` + field name.
void Validate(const Body& body, std::string_view prefix,
              FieldViolations& violations);
void Validate(const Person& person, std::string_view prefix,
              FieldViolations& violations);
void Validate(const Organisation& organisation, std::string_view prefix,
              FieldViolations& violations);

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_PEOPLE_H_
