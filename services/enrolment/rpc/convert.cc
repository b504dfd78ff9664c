#include "services/enrolment/rpc/convert.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "common/rpc/convert.h"
#include "common/text/view.h"
#include "common/types/etag.h"

namespace parcours::enrolment {
namespace {

using rpc::CivilDayOf;
using rpc::DateOf;
using rpc::EnumFromProto;
using rpc::EnumToProto;
using rpc::TimestampOf;

// What every resource has.
template <typename Resource, typename Message>
void WriteCommon(const Resource& resource, Message& message) {
  message.set_name(resource.name.text());
  message.set_etag(EtagOf(resource.version));
  *message.mutable_create_time() = TimestampOf(resource.create_time);
  *message.mutable_update_time() = TimestampOf(resource.update_time);
}

template <typename Message>
void WriteExternalIds(const std::vector<ExternalId>& ids, Message& message) {
  for (const ExternalId& id : ids) {
    pb::ExternalId& added = *message.add_external_ids();
    added.set_system(id.system);
    added.set_value(id.value);
  }
}

template <typename Message>
std::vector<ExternalId> ReadExternalIds(const Message& message) {
  std::vector<ExternalId> ids;
  for (const pb::ExternalId& id : message.external_ids()) {
    ids.push_back({.system = id.system(), .value = id.value()});
  }
  return ids;
}

// The printed content is the message itself, without what is output only.
template <typename Message>
std::string ContentOf(Message message) {
  message.clear_name();
  message.clear_etag();
  message.clear_create_time();
  message.clear_update_time();
  return message.SerializeAsString();
}

std::optional<int64_t> OptionalOf(bool present, int64_t value) {
  if (!present) return std::nullopt;
  return value;
}

pb::Cohort::GoDecision ToProto(GoDecision decision) {
  return static_cast<pb::Cohort::GoDecision>(decision);
}

std::string AmountFr(int64_t cents) {
  return Cat(cents / 100, ",", cents % 100 < 10 ? "0" : "", cents % 100, " €");
}

std::string AmountEn(int64_t cents) {
  return Cat("€", cents / 100, ".", cents % 100 < 10 ? "0" : "", cents % 100);
}

}  // namespace

pb::Body ToProto(const Body& body) {
  pb::Body message;
  WriteCommon(body, message);
  message.set_display_name(body.display_name);
  message.set_legal_name(body.legal_name);
  message.set_siret(body.siret);
  message.set_activity_number(body.activity_number);
  message.mutable_address_lines()->Assign(body.address_lines.begin(),
                                          body.address_lines.end());
  message.set_email(body.email);
  message.set_phone(body.phone);
  message.set_time_zone(body.time_zone);
  return message;
}

void Read(const pb::Body& message, Body& body) {
  body.display_name = message.display_name();
  body.legal_name = message.legal_name();
  body.siret = message.siret();
  body.activity_number = message.activity_number();
  body.address_lines.assign(message.address_lines().begin(),
                            message.address_lines().end());
  body.email = message.email();
  body.phone = message.phone();
  body.time_zone = message.time_zone();
}

pb::Person ToProto(const Person& person) {
  pb::Person message;
  WriteCommon(person, message);
  message.set_given_name(person.given_name);
  message.set_family_name(person.family_name);
  message.set_birth_name(person.birth_name);
  message.set_email(person.email);
  message.set_phone(person.phone);
  WriteExternalIds(person.external_ids, message);
  if (person.erase_time.has_value()) {
    *message.mutable_erase_time() = TimestampOf(*person.erase_time);
  }
  return message;
}

void Read(const pb::Person& message, Person& person) {
  person.given_name = message.given_name();
  person.family_name = message.family_name();
  person.birth_name = message.birth_name();
  person.email = message.email();
  person.phone = message.phone();
  person.external_ids = ReadExternalIds(message);
}

pb::Organisation ToProto(const Organisation& organisation) {
  pb::Organisation message;
  WriteCommon(organisation, message);
  message.set_display_name(organisation.display_name);
  message.set_siret(organisation.siret);
  message.set_opco(organisation.opco);
  message.set_signatory(organisation.signatory);
  message.set_hr_email(organisation.hr_email);
  message.set_billing_email(organisation.billing_email);
  message.set_public_buyer(organisation.public_buyer);
  message.set_invoice_service_code(organisation.invoice_service_code);
  WriteExternalIds(organisation.external_ids, message);
  return message;
}

void Read(const pb::Organisation& message, Organisation& organisation) {
  organisation.display_name = message.display_name();
  organisation.siret = message.siret();
  organisation.opco = message.opco();
  organisation.signatory = message.signatory();
  organisation.hr_email = message.hr_email();
  organisation.billing_email = message.billing_email();
  organisation.public_buyer = message.public_buyer();
  organisation.invoice_service_code = message.invoice_service_code();
  organisation.external_ids = ReadExternalIds(message);
}

pb::Programme ToProto(const Programme& programme) {
  pb::Programme message;
  message.ParseFromString(programme.content);
  WriteCommon(programme, message);
  return message;
}

void Read(const pb::Programme& message, Programme& programme) {
  programme.display_name = message.display_name();
  const pb::AccessConditions& conditions = message.access_conditions();
  programme.access_conditions = {
      .years_after_bac =
          OptionalOf(conditions.has_minimum_level_years_after_bac(),
                     conditions.minimum_level_years_after_bac()),
      .experience_years = OptionalOf(conditions.has_minimum_experience_years(),
                                     conditions.minimum_experience_years())};
  programme.rank_event = EnumFromProto<RankEvent>(message.rank_event());
  programme.required_pieces.clear();
  for (int piece : message.required_pieces()) {
    programme.required_pieces.push_back(
        EnumFromProto<PieceKind>(static_cast<type::v1::PieceKind>(piece)));
  }
  programme.content = ContentOf(message);
}

pb::Cohort ToProto(const CohortView& view) {
  const Cohort& cohort = view.cohort;
  pb::Cohort message;
  message.ParseFromString(cohort.content);
  WriteCommon(cohort, message);
  message.set_state(EnumToProto<pb::Cohort::State>(cohort.state));
  message.set_go_decision(ToProto(cohort.go_decision));
  if (cohort.go_decision != GoDecision::kUndecided) {
    *message.mutable_go_decision_time() = TimestampOf(cohort.go_decision_time);
  }
  message.set_held_count(static_cast<int32_t>(view.counts.taken()));
  message.set_confirmed_count(static_cast<int32_t>(view.counts.confirmed));
  message.set_offered_count(static_cast<int32_t>(view.counts.offered));
  message.set_waitlisted_count(static_cast<int32_t>(view.counts.waitlisted));
  return message;
}

void Read(const pb::Cohort& message, Cohort& cohort) {
  cohort.programme = ProgrammeName::FromRecord(message.programme());
  cohort.display_name = message.display_name();
  cohort.capacity = message.capacity();
  cohort.minimum = message.minimum();
  cohort.time_zone = message.time_zone();
  cohort.application_open_date = CivilDayOf(message.application_open_date());
  cohort.application_close_date = CivilDayOf(message.application_close_date());
  cohort.start_date = CivilDayOf(message.start_date());
  cohort.end_date = CivilDayOf(message.end_date());
  cohort.entry_cutoff_date = CivilDayOf(message.entry_cutoff_date());
  cohort.commitment_deadline_days =
      OptionalOf(message.has_commitment_deadline_days(),
                 message.commitment_deadline_days());
  cohort.offer_validity_hours = OptionalOf(message.has_offer_validity_hours(),
                                           message.offer_validity_hours());
  cohort.prices.clear();
  for (const type::v1::PriceLine& line : message.prices()) {
    cohort.prices.push_back(
        {.payer_kind = EnumFromProto<PayerKind>(line.payer_kind()),
         .amount_cents =
             OptionalOf(line.has_amount_cents(), line.amount_cents())});
  }
  cohort.funders.clear();
  for (const type::v1::Funder& funder : message.funders()) {
    cohort.funders.push_back(
        {.id = funder.id(),
         .payer_kind = EnumFromProto<PayerKind>(funder.payer_kind()),
         .lead_time_rule = funder.lead_time_rule()});
  }
  pb::Cohort content = message;
  content.clear_state();
  content.clear_go_decision();
  content.clear_go_decision_time();
  content.clear_held_count();
  content.clear_confirmed_count();
  content.clear_offered_count();
  content.clear_waitlisted_count();
  cohort.content = ContentOf(std::move(content));
}

GoDecision FromProto(pb::Cohort::GoDecision decision) {
  return static_cast<GoDecision>(decision);
}

pb::GoNoGo ToProto(const GoNoGo& go_no_go) {
  pb::GoNoGo message;
  message.set_cohort(go_no_go.cohort.name.text());
  message.set_minimum(static_cast<int32_t>(go_no_go.cohort.minimum));
  message.set_binding_count(static_cast<int32_t>(go_no_go.counts.binding));
  message.set_in_withdrawal_period_count(
      static_cast<int32_t>(go_no_go.counts.in_withdrawal_period));
  message.set_at_risk_count(static_cast<int32_t>(go_no_go.counts.at_risk));
  return message;
}

pb::Application ToProto(const ApplicationView& view) {
  const Application& application = view.application;
  pb::Application message;
  WriteCommon(application, message);
  pb::Candidate& candidate = *message.mutable_candidate();
  candidate.set_given_name(application.given_name);
  candidate.set_family_name(application.family_name);
  candidate.set_email(application.email);
  candidate.set_phone(application.phone);
  candidate.set_years_after_bac(
      static_cast<int32_t>(application.qualification.years_after_bac));
  candidate.set_experience_years(
      static_cast<int32_t>(application.qualification.experience_years));
  candidate.set_volunteering_years(
      static_cast<int32_t>(application.qualification.volunteering_years));
  message.set_person(application.person.text());
  message.mutable_payer()->set_kind(
      EnumToProto<type::v1::PayerKind>(application.payer.kind));
  message.mutable_payer()->set_organisation(
      application.payer.organisation.text());
  message.mutable_payer()->set_funder_id(application.payer.funder_id);
  message.set_channel(EnumToProto<pb::Channel>(application.channel));
  if (application.declared_time.has_value()) {
    *message.mutable_declared_time() = TimestampOf(*application.declared_time);
  }
  for (const Piece& piece : application.pieces) {
    pb::Piece& added = *message.add_pieces();
    added.set_kind(EnumToProto<type::v1::PieceKind>(piece.kind));
    added.set_upload(piece.upload.text());
    added.set_sha256(piece.sha256);
    *added.mutable_attach_time() = TimestampOf(piece.attach_time);
    added.set_unreadable(piece.unreadable);
  }
  for (PieceKind missing : view.missing_pieces) {
    message.add_missing_pieces(EnumToProto<type::v1::PieceKind>(missing));
  }
  if (application.pieces_due_time.has_value()) {
    *message.mutable_pieces_due_time() =
        TimestampOf(*application.pieces_due_time);
  }
  message.set_review_state(
      EnumToProto<pb::ReviewState>(application.review_state));
  message.set_meets_access_conditions(application.meets_access_conditions);
  if (!application.decision.decider.empty()) {
    pb::AdmissionDecision& decision = *message.mutable_decision();
    decision.set_decider(application.decision.decider);
    decision.set_reason(application.decision.reason);
    *decision.mutable_decision_time() =
        TimestampOf(application.decision.decision_time);
    decision.set_derogation(application.decision.derogation);
    decision.set_derogation_proof(application.decision.derogation_proof);
  }
  message.set_rank(application.rank);
  message.set_place_state(EnumToProto<pb::PlaceState>(application.place_state));
  if (application.place_expire_time.has_value()) {
    *message.mutable_place_expire_time() =
        TimestampOf(*application.place_expire_time);
  }
  message.set_waiting_position(static_cast<int32_t>(view.waiting_position));
  *message.mutable_submit_time() = TimestampOf(application.submit_time);
  if (application.rank_time.has_value()) {
    *message.mutable_rank_time() = TimestampOf(*application.rank_time);
  }
  return message;
}

Payer FromProto(const pb::Payer& message) {
  return {.kind = EnumFromProto<PayerKind>(message.kind()),
          .organisation = OrganisationName::FromRecord(message.organisation()),
          .funder_id = message.funder_id()};
}

NewPiece FromProto(const pb::Piece& message) {
  return {.kind = EnumFromProto<PieceKind>(message.kind()),
          .upload = UploadName::FromRecord(message.upload())};
}

Application FromProto(const pb::Application& message) {
  const pb::Candidate& candidate = message.candidate();
  Application application;
  application.given_name = candidate.given_name();
  application.family_name = candidate.family_name();
  application.email = candidate.email();
  application.phone = candidate.phone();
  application.qualification = {
      .years_after_bac = candidate.years_after_bac(),
      .experience_years = candidate.experience_years(),
      .volunteering_years = candidate.volunteering_years()};
  application.payer = FromProto(message.payer());
  application.channel = message.channel() == pb::CHANNEL_UNSPECIFIED
                            ? Channel::kOnline
                            : EnumFromProto<Channel>(message.channel());
  if (message.has_declared_time()) {
    application.declared_time = rpc::TimeOf(message.declared_time());
  }
  return application;
}

pb::ExplainPlaceResponse ToProto(const PlaceExplanation& explanation) {
  pb::ExplainPlaceResponse message;
  message.set_place_state(
      EnumToProto<pb::PlaceState>(explanation.application.place_state));
  message.set_rank(explanation.application.rank);
  message.set_waiting_position(
      static_cast<int32_t>(explanation.waiting_position));
  for (const PlaceEvent& event : explanation.events) {
    pb::PlaceEvent& added = *message.add_events();
    *added.mutable_event_time() = TimestampOf(event.event_time);
    added.set_place_state(EnumToProto<pb::PlaceState>(event.place_state));
    added.set_cause(event.cause);
    added.set_taken_count(static_cast<int32_t>(event.taken_count));
    added.set_capacity(static_cast<int32_t>(event.capacity));
    added.set_rule(event.rule);
    added.set_text_fr(event.text_fr);
    added.set_text_en(event.text_en);
  }
  return message;
}

pb::Agreement ToProto(const Agreement& agreement, absl::CivilDay today) {
  pb::Agreement message;
  WriteCommon(agreement, message);
  message.set_application(agreement.application.text());
  message.set_kind(EnumToProto<pb::Agreement::Kind>(agreement.kind));
  message.set_state(
      EnumToProto<pb::Agreement::State>(StateOn(agreement, today)));
  message.set_payer_kind(
      EnumToProto<type::v1::PayerKind>(agreement.payer_kind));
  message.set_organisation(agreement.organisation.text());
  if (agreement.price_cents.has_value()) {
    message.set_price_cents(*agreement.price_cents);
  }
  message.set_at_distance(agreement.at_distance);
  message.set_signatory(agreement.signatory);
  if (agreement.sign_time.has_value()) {
    *message.mutable_sign_time() = TimestampOf(*agreement.sign_time);
  }
  if (agreement.withdrawal_end_date.has_value()) {
    *message.mutable_withdrawal_end_date() =
        DateOf(*agreement.withdrawal_end_date);
  }
  message.set_withdrawal_rule(agreement.withdrawal_rule);
  message.set_requested_cents(agreement.requested_cents);
  message.set_end_reason(agreement.end_reason);
  WriteExternalIds(agreement.external_ids, message);
  return message;
}

std::vector<ExternalId> ExternalIdsOf(const pb::Agreement& message) {
  return ReadExternalIds(message);
}

pb::PaymentGate ToProto(const AgreementGate& answer) {
  const PaymentGate& gate = answer.gate;
  pb::PaymentGate message;
  message.set_agreement(answer.agreement.name.text());
  message.set_allowed_cents(gate.allowed_cents);
  message.set_requested_cents(answer.agreement.requested_cents);
  if (gate.opens.has_value())
    *message.mutable_opens_date() = DateOf(*gate.opens);
  if (!gate.article.empty()) {
    message.set_rule(Cat(gate.article, " (", gate.rule, ")"));
  }
  const int64_t remaining = std::max<int64_t>(
      gate.allowed_cents - answer.agreement.requested_cents, 0);
  message.set_text_fr(Cat("À ce jour, ", AmountFr(remaining),
                          " peuvent encore être demandés."));
  message.set_text_en(
      Cat("Today, ", AmountEn(remaining), " may still be asked."));
  return message;
}

pb::Enrolment ToProto(const Enrolment& enrolment) {
  pb::Enrolment message;
  WriteCommon(enrolment, message);
  message.set_application(enrolment.application.text());
  message.set_person(enrolment.person.text());
  message.set_person_display_name(enrolment.person_display_name);
  message.set_state(EnumToProto<pb::Enrolment::State>(enrolment.state));
  message.set_payer_kind(
      EnumToProto<type::v1::PayerKind>(enrolment.payer_kind));
  message.set_organisation(enrolment.organisation.text());
  message.set_funder_id(enrolment.funder_id);
  message.set_commitment(EnumToProto<pb::CommitmentKind>(enrolment.commitment));
  *message.mutable_enrol_time() = TimestampOf(enrolment.enrol_time);
  if (enrolment.end_date.has_value()) {
    *message.mutable_end_date() = DateOf(*enrolment.end_date);
  }
  message.set_end_reason(enrolment.end_reason);
  message.set_force_majeure(enrolment.force_majeure);
  message.set_has_measures(enrolment.has_measures);
  WriteExternalIds(enrolment.external_ids, message);
  return message;
}

pb::Erasure ToProto(const Erasure& erasure) {
  pb::Erasure message;
  WriteCommon(erasure, message);
  message.set_person(erasure.person.text());
  message.set_ground(EnumToProto<pb::Erasure::Ground>(erasure.ground));
  message.set_state(EnumToProto<pb::Erasure::State>(erasure.state));
  for (const ErasureAcknowledgement& said : erasure.acknowledgements) {
    pb::ErasureAcknowledgement& added = *message.add_acknowledgements();
    added.set_service(said.service);
    *added.mutable_acknowledge_time() = TimestampOf(said.acknowledge_time);
  }
  for (const std::string& service : AwaitedServices(erasure)) {
    message.add_awaited_services(service);
  }
  *message.mutable_erase_time() = TimestampOf(erasure.erase_time);
  if (erasure.complete_time.has_value()) {
    *message.mutable_complete_time() = TimestampOf(*erasure.complete_time);
  }
  return message;
}

pb::ApiClient ToProto(const ApiClientView& view) {
  const ApiClient& client = view.client;
  pb::ApiClient message;
  WriteCommon(client, message);
  message.set_display_name(client.display_name);
  message.set_purpose(client.purpose);
  message.mutable_contact()->set_name(client.contact_name);
  message.mutable_contact()->set_email(client.contact_email);
  for (const Role role : client.roles) {
    message.add_roles(EnumToProto<type::v1::Role>(role));
  }
  message.set_organisation(client.organisation.text());
  message.set_funder_id(client.funder_id);
  message.set_calls_per_minute(static_cast<int32_t>(client.calls_per_minute));
  *message.mutable_expire_time() = TimestampOf(client.expire_time);
  message.set_disabled(client.disabled);
  absl::Time last_use = absl::InfinitePast();
  for (const auto& [secret, time] : view.last_uses) {
    last_use = std::max(last_use, time);
  }
  if (last_use != absl::InfinitePast()) {
    *message.mutable_last_use_time() = TimestampOf(last_use);
  }
  for (const ClientSecret& secret : client.secrets) {
    pb::ApiClientSecret& added = *message.add_secrets();
    added.set_id(secret.id);
    *added.mutable_create_time() = TimestampOf(secret.create_time);
    *added.mutable_expire_time() = TimestampOf(secret.expire_time);
    if (const auto used = view.last_uses.find(secret.id);
        used != view.last_uses.end()) {
      *added.mutable_last_use_time() = TimestampOf(used->second);
    }
  }
  return message;
}

void Read(const pb::ApiClient& message, ApiClient& client) {
  client.display_name = message.display_name();
  client.purpose = message.purpose();
  client.contact_name = message.contact().name();
  client.contact_email = message.contact().email();
  client.roles.clear();
  for (const int role : message.roles()) {
    client.roles.push_back(
        EnumFromProto<Role>(static_cast<type::v1::Role>(role)));
  }
  client.organisation = OrganisationName::FromRecord(message.organisation());
  client.funder_id = message.funder_id();
  client.calls_per_minute = message.calls_per_minute();
  client.expire_time = absl::FromUnixSeconds(message.expire_time().seconds());
}

}  // namespace parcours::enrolment
