#include "services/enrolment/store/tables.h"

#include "common/storage/json.h"
#include "services/enrolment/store/candidate_digest.h"

namespace parcours::enrolment {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(AccessConditions, years_after_bac,
                                   experience_years)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(PriceLine, payer_kind, amount_cents)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Funder, id, payer_kind, lead_time_rule)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ExternalId, system, value)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Qualification, years_after_bac,
                                   experience_years, volunteering_years)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Piece, kind, upload, sha256, attach_time,
                                   unreadable)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ErasureAcknowledgement, service,
                                   acknowledge_time)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ClientSecret, id, salt, digest, create_time,
                                   expire_time)

// What is said of somebody stands in sealed columns of its own; before, it
// stood here.
void to_json(nlohmann::json& json, const AdmissionDecision& decision) {
  json = {{"decider", decision.decider},
          {"decision_time", decision.decision_time},
          {"derogation", decision.derogation}};
}
void from_json(const nlohmann::json& json, AdmissionDecision& decision) {
  json.at("decider").get_to(decision.decider);
  json.at("decision_time").get_to(decision.decision_time);
  json.at("derogation").get_to(decision.derogation);
  decision.reason = json.value("reason", "");
  decision.derogation_proof = json.value("derogation_proof", "");
}

const storage::Table<Body>& BodyTable() {
  static const auto& table = *new storage::Table<Body>(
      storage::Table<Body>("body")
          .Within(storage::Reach::SharedWithinBody())
          .Column(
              "display_name", [](auto& b) -> auto& { return b.display_name; })
          .Column(
              "legal_name", [](auto& b) -> auto& { return b.legal_name; })
          .Column(
              "siret", [](auto& b) -> auto& { return b.siret; })
          .Column(
              "activity_number",
              [](auto& b) -> auto& { return b.activity_number; })
          .Column(
              "address_lines", [](auto& b) -> auto& { return b.address_lines; })
          .Column(
              "email", [](auto& b) -> auto& { return b.email; })
          .Column(
              "phone", [](auto& b) -> auto& { return b.phone; })
          .Column(
              "time_zone", [](auto& b) -> auto& { return b.time_zone; }));
  return table;
}

const storage::Table<Programme>& ProgrammeTable() {
  static const auto& table = *new storage::Table<Programme>(
      storage::Table<Programme>("programme")
          .Within(storage::Reach::SharedWithinBody())
          .Column(
              "display_name", [](auto& p) -> auto& { return p.display_name; })
          .Json(
              "access_conditions",
              [](auto& p) -> auto& { return p.access_conditions; })
          .Column(
              "rank_event", [](auto& p) -> auto& { return p.rank_event; })
          .Column(
              "required_pieces",
              [](auto& p) -> auto& { return p.required_pieces; })
          .Bytes(
              "content", [](auto& p) -> auto& { return p.content; }));
  return table;
}

const storage::Table<Cohort>& CohortTable() {
  static const auto& table = *new storage::Table<Cohort>(
      storage::Table<Cohort>("cohort")
          .Within(storage::Reach::SharedWithinBody())
          .Column(
              "programme", [](auto& c) -> auto& { return c.programme; })
          .Column(
              "display_name", [](auto& c) -> auto& { return c.display_name; })
          .Column(
              "capacity", [](auto& c) -> auto& { return c.capacity; })
          .Column(
              "minimum", [](auto& c) -> auto& { return c.minimum; })
          .Column(
              "time_zone", [](auto& c) -> auto& { return c.time_zone; })
          .Column(
              "application_open_date",
              [](auto& c) -> auto& { return c.application_open_date; })
          .Column(
              "application_close_date",
              [](auto& c) -> auto& { return c.application_close_date; })
          .Column(
              "start_date", [](auto& c) -> auto& { return c.start_date; })
          .Column(
              "end_date", [](auto& c) -> auto& { return c.end_date; })
          .Column(
              "entry_cutoff_date",
              [](auto& c) -> auto& { return c.entry_cutoff_date; })
          .Column(
              "commitment_deadline_days",
              [](auto& c) -> auto& { return c.commitment_deadline_days; })
          .Column(
              "offer_validity_hours",
              [](auto& c) -> auto& { return c.offer_validity_hours; })
          .Json(
              "prices", [](auto& c) -> auto& { return c.prices; })
          .Json(
              "funders", [](auto& c) -> auto& { return c.funders; })
          .Column(
              "state", [](auto& c) -> auto& { return c.state; })
          .Column(
              "go_decision", [](auto& c) -> auto& { return c.go_decision; })
          .Column(
              "go_decision_time",
              [](auto& c) -> auto& { return c.go_decision_time; })
          .Column(
              "go_decider", [](auto& c) -> auto& { return c.go_decider; })
          .Column(
              "go_reason", [](auto& c) -> auto& { return c.go_reason; })
          .Bytes(
              "content", [](auto& c) -> auto& { return c.content; }));
  return table;
}

const storage::Table<Person>& PersonTable() {
  static const auto& table = *new storage::Table<Person>(
      storage::Table<Person>("person")
          .SealedFor(
              "name", [](auto& p) -> auto& { return p.name; })
          .Column(
              "given_name", [](auto& p) -> auto& { return p.given_name; })
          .Column(
              "family_name", [](auto& p) -> auto& { return p.family_name; })
          .Sealed(
              "birth_name", [](auto& p) -> auto& { return p.birth_name; })
          .Sealed(
              "email", [](auto& p) -> auto& { return p.email; })
          .Sealed(
              "phone", [](auto& p) -> auto& { return p.phone; })
          .Json(
              "external_ids", [](auto& p) -> auto& { return p.external_ids; })
          .Column(
              "erase_time", [](auto& p) -> auto& { return p.erase_time; }));
  return table;
}

const storage::Table<Organisation>& OrganisationTable() {
  static const auto& table = *new storage::Table<Organisation>(
      storage::Table<Organisation>("organisation")
          .Column(
              "display_name", [](auto& o) -> auto& { return o.display_name; })
          .Column(
              "siret", [](auto& o) -> auto& { return o.siret; })
          .Column(
              "opco", [](auto& o) -> auto& { return o.opco; })
          .Column(
              "signatory", [](auto& o) -> auto& { return o.signatory; })
          .Column(
              "hr_email", [](auto& o) -> auto& { return o.hr_email; })
          .Column(
              "billing_email", [](auto& o) -> auto& { return o.billing_email; })
          .Column(
              "public_buyer", [](auto& o) -> auto& { return o.public_buyer; })
          .Column(
              "invoice_service_code",
              [](auto& o) -> auto& { return o.invoice_service_code; })
          .Json(
              "external_ids", [](auto& o) -> auto& { return o.external_ids; }));
  return table;
}

const storage::Table<Application>& ApplicationTable() {
  static const auto& table = *new storage::Table<Application>(
      storage::Table<Application>("application")
          .SealedFor(
              "person", [](auto& a) -> auto& { return a.person; })
          .Column(
              "cohort", [](auto& a) -> auto& { return a.cohort; })
          .Column(
              "person", [](auto& a) -> auto& { return a.person; })
          .Column(
              "given_name", [](auto& a) -> auto& { return a.given_name; })
          .Column(
              "family_name", [](auto& a) -> auto& { return a.family_name; })
          .Sealed(
              "email", [](auto& a) -> auto& { return a.email; })
          .Sealed(
              "phone", [](auto& a) -> auto& { return a.phone; })
          .Json(
              "qualification", [](auto& a) -> auto& { return a.qualification; })
          .Column(
              "candidate_key", [](auto& a) -> auto& { return a.candidate_key; })
          .Column(
              "payer_kind", [](auto& a) -> auto& { return a.payer.kind; })
          .Column(
              "payer_organisation",
              [](auto& a) -> auto& { return a.payer.organisation; })
          .Column(
              "payer_funder_id",
              [](auto& a) -> auto& { return a.payer.funder_id; })
          .Column(
              "channel", [](auto& a) -> auto& { return a.channel; })
          .Column(
              "declared_time", [](auto& a) -> auto& { return a.declared_time; })
          .Json(
              "pieces", [](auto& a) -> auto& { return a.pieces; })
          .Column(
              "pieces_due_time",
              [](auto& a) -> auto& { return a.pieces_due_time; })
          .Column(
              "review_state", [](auto& a) -> auto& { return a.review_state; })
          .Column(
              "meets_access_conditions",
              [](auto& a) -> auto& { return a.meets_access_conditions; })
          .Json(
              "decision", [](auto& a) -> auto& { return a.decision; })
          .Sealed(
              "decision_reason",
              [](auto& a) -> auto& { return a.decision.reason; })
          .Sealed(
              "derogation_proof",
              [](auto& a) -> auto& { return a.decision.derogation_proof; })
          .Column(
              "rank", [](auto& a) -> auto& { return a.rank; })
          .Column(
              "place_state", [](auto& a) -> auto& { return a.place_state; })
          .Column(
              "place_expire_time",
              [](auto& a) -> auto& { return a.place_expire_time; })
          .Column(
              "submit_time", [](auto& a) -> auto& { return a.submit_time; })
          .Column(
              "rank_time", [](auto& a) -> auto& { return a.rank_time; })
          .Column(
              "account", [](auto& a) -> auto& { return a.account; }));
  return table;
}

const storage::Table<Agreement>& AgreementTable() {
  static const auto& table = *new storage::Table<Agreement>(
      storage::Table<Agreement>("agreement")
          .Within(storage::Reach::Through({"name", "application"}))
          .Column(
              "application", [](auto& a) -> auto& { return a.application; })
          .Column(
              "cohort", [](auto& a) -> auto& { return a.cohort; })
          .Column(
              "kind", [](auto& a) -> auto& { return a.kind; })
          .Column(
              "state", [](auto& a) -> auto& { return a.state; })
          .Column(
              "payer_kind", [](auto& a) -> auto& { return a.payer_kind; })
          .Column(
              "organisation", [](auto& a) -> auto& { return a.organisation; })
          .Column(
              "price_cents", [](auto& a) -> auto& { return a.price_cents; })
          .Column(
              "at_distance", [](auto& a) -> auto& { return a.at_distance; })
          .Column(
              "signatory", [](auto& a) -> auto& { return a.signatory; })
          .Column(
              "sign_time", [](auto& a) -> auto& { return a.sign_time; })
          .Column(
              "withdrawal_end_date",
              [](auto& a) -> auto& { return a.withdrawal_end_date; })
          .Column(
              "withdrawal_rule",
              [](auto& a) -> auto& { return a.withdrawal_rule; })
          .Column(
              "requested_cents",
              [](auto& a) -> auto& { return a.requested_cents; })
          .Column(
              "end_reason", [](auto& a) -> auto& { return a.end_reason; })
          .Json(
              "external_ids", [](auto& a) -> auto& { return a.external_ids; }));
  return table;
}

const storage::Table<Enrolment>& EnrolmentTable() {
  static const auto& table = *new storage::Table<Enrolment>(
      storage::Table<Enrolment>("enrolment")
          .Within(storage::Reach::Through({"name", "application"}))
          .SealedFor(
              "person", [](auto& e) -> auto& { return e.person; })
          .Column(
              "cohort", [](auto& e) -> auto& { return e.cohort; })
          .Column(
              "application", [](auto& e) -> auto& { return e.application; })
          .Column(
              "person", [](auto& e) -> auto& { return e.person; })
          .Column(
              "person_display_name",
              [](auto& e) -> auto& { return e.person_display_name; })
          .Column(
              "state", [](auto& e) -> auto& { return e.state; })
          .Column(
              "payer_kind", [](auto& e) -> auto& { return e.payer_kind; })
          .Column(
              "organisation", [](auto& e) -> auto& { return e.organisation; })
          .Column(
              "funder_id", [](auto& e) -> auto& { return e.funder_id; })
          .Column(
              "commitment", [](auto& e) -> auto& { return e.commitment; })
          .Sealed(
              "commitment_reference",
              [](auto& e) -> auto& { return e.commitment_reference; })
          .Column(
              "enrol_time", [](auto& e) -> auto& { return e.enrol_time; })
          .Column(
              "end_date", [](auto& e) -> auto& { return e.end_date; })
          .Sealed(
              "end_reason", [](auto& e) -> auto& { return e.end_reason; })
          .Column(
              "force_majeure", [](auto& e) -> auto& { return e.force_majeure; })
          .Column(
              "has_measures", [](auto& e) -> auto& { return e.has_measures; })
          .Json(
              "external_ids", [](auto& e) -> auto& { return e.external_ids; }));
  return table;
}

const storage::Table<ApiClient>& ApiClientTable() {
  static const auto& table = *new storage::Table<ApiClient>(
      storage::Table<ApiClient>("api_client")
          .Column(
              "display_name", [](auto& c) -> auto& { return c.display_name; })
          .Column(
              "purpose", [](auto& c) -> auto& { return c.purpose; })
          .Column(
              "contact_name", [](auto& c) -> auto& { return c.contact_name; })
          .Column(
              "contact_email", [](auto& c) -> auto& { return c.contact_email; })
          .Column(
              "roles", [](auto& c) -> auto& { return c.roles; })
          .Column(
              "organisation", [](auto& c) -> auto& { return c.organisation; })
          .Column(
              "funder_id", [](auto& c) -> auto& { return c.funder_id; })
          .Column(
              "calls_per_minute",
              [](auto& c) -> auto& { return c.calls_per_minute; })
          .Column(
              "expire_time", [](auto& c) -> auto& { return c.expire_time; })
          .Column(
              "disabled", [](auto& c) -> auto& { return c.disabled; })
          .Json(
              "secrets", [](auto& c) -> auto& { return c.secrets; }));
  return table;
}

const storage::Table<Erasure>& ErasureTable() {
  static const auto& table = *new storage::Table<Erasure>(
      storage::Table<Erasure>("erasure")
          .Column(
              "person", [](auto& e) -> auto& { return e.person; })
          .Column(
              "ground", [](auto& e) -> auto& { return e.ground; })
          .Column(
              "state", [](auto& e) -> auto& { return e.state; })
          .Json(
              "acknowledgements",
              [](auto& e) -> auto& { return e.acknowledgements; })
          .Column(
              "erase_time", [](auto& e) -> auto& { return e.erase_time; })
          .Column(
              "complete_time",
              [](auto& e) -> auto& { return e.complete_time; }));
  return table;
}

std::vector<storage::SealingOfBefore::Part> PartsOfBefore() {
  using storage::SealingOfBefore;
  const auto keep_digest = [](storage::Transaction& transaction,
                              Application& application) {
    return KeepCandidateDigest(transaction.person_keys(), application);
  };
  return {SealingOfBefore::PartOf(PersonTable()),
          // A key of a candidate has several lines, and decisions stood whole
          // in one column.
          SealingOfBefore::PartOf(ApplicationTable(), keep_digest,
                                  "candidate_key LIKE '%\n%'"
                                  " OR decision LIKE '%\"reason\":%'"),
          SealingOfBefore::PartOf(EnrolmentTable())};
}

}  // namespace parcours::enrolment
