#include <string>

#include "common/rpc/convert.h"
#include "common/testing/pdf.h"
#include "gmock/gmock.h"
#include "services/enrolment/testing/enrolment_fixture.h"

namespace parcours::enrolment {
namespace {

using ::testing::HasSubstr;

// Each method over the wire; those that change something are called twice with
// one request id, which must change nothing the second time (see CallTwice).
class LifecycleTest : public ContractTest {
 protected:
  template <typename Request>
  static Request Named(const std::string& name) {
    Request request;
    request.set_name(name);
    return request;
  }
  template <typename Request>
  static Request Decided(const std::string& name) {
    Request request = Named<Request>(name);
    request.set_decider("Personne Une");
    request.set_reason("Motif");
    return request;
  }
};

TEST_P(LifecycleTest, FromTheApplicationToTheEndOfTheCourse) {
  Applications& applications = fixture_.applications();
  Enrolments& enrolments = fixture_.enrolments();
  const auto submitted = fixture_.CallTwice(
      applications, &Applications::SubmitApplication, fixture_.Submission(1));
  ASSERT_OK(submitted);
  EXPECT_EQ(submitted->rank(), 1);
  EXPECT_EQ(submitted->place_state(), pb::PLACE_STATE_HELD);
  EXPECT_EQ(submitted->review_state(), pb::REVIEW_STATE_RECEIVED);
  EXPECT_TRUE(submitted->meets_access_conditions());
  EXPECT_EQ(submitted->pieces(0).sha256().size(), 64U);
  const std::string name = submitted->name();

  auto ask = Named<pb::RequestPieceRequest>(name);
  ask.set_kind(type::v1::PIECE_KIND_CV);
  ask.set_reason("illisible");
  const auto asked =
      fixture_.CallTwice(applications, &Applications::RequestPiece, ask);
  ASSERT_OK(asked);
  EXPECT_EQ(asked->missing_pieces(0), type::v1::PIECE_KIND_CV);
  EXPECT_TRUE(asked->has_pieces_due_time());
  auto attach = Named<pb::AttachPieceRequest>(name);
  attach.mutable_piece()->set_kind(type::v1::PIECE_KIND_CV);
  const auto upload = fixture_.Upload(MakePdf(2));
  ASSERT_OK(upload);
  attach.mutable_piece()->set_upload(*upload);
  ASSERT_OK(
      fixture_.CallTwice(applications, &Applications::AttachPiece, attach));

  ASSERT_OK(fixture_.CallTwice(applications, &Applications::RefuseApplication,
                               Decided<pb::RefuseApplicationRequest>(name)));
  const auto reopened =
      fixture_.CallTwice(applications, &Applications::ReopenApplication,
                         Decided<pb::ReopenApplicationRequest>(name));
  ASSERT_OK(reopened);
  EXPECT_EQ(reopened->rank(), 2);
  const auto admitted =
      fixture_.CallTwice(applications, &Applications::AdmitApplication,
                         Decided<pb::AdmitApplicationRequest>(name));
  ASSERT_OK(admitted);
  EXPECT_EQ(admitted->decision().decider(), "Personne Une");
  EXPECT_FALSE(admitted->decision().derogation());

  auto payer = Named<pb::ChangePayerRequest>(name);
  payer.mutable_payer()->set_kind(type::v1::PAYER_KIND_EMPLOYER);
  payer.mutable_payer()->set_organisation(fixture_.employer);
  ASSERT_OK(
      fixture_.CallTwice(applications, &Applications::ChangePayer, payer));
  const pb::Agreement agreement = fixture_.Committed(name);
  EXPECT_EQ(agreement.kind(), pb::Agreement::KIND_CONVENTION);
  EXPECT_EQ(agreement.state(), pb::Agreement::STATE_BINDING);
  EXPECT_EQ(agreement.price_cents(), 345000);
  pb::ConfirmPlaceRequest confirm;
  confirm.set_application(name);
  confirm.set_commitment(pb::COMMITMENT_KIND_SIGNED_AGREEMENT);
  const auto enrolment =
      fixture_.CallTwice(enrolments, &Enrolments::ConfirmPlace, confirm);
  ASSERT_OK(enrolment);
  EXPECT_EQ(enrolment->organisation(), fixture_.employer);

  auto decide = Decided<pb::DecideCohortRequest>(fixture_.cohort);
  decide.set_decision(pb::Cohort::GO_DECISION_GO);
  const auto decided = fixture_.CallTwice(fixture_.programmes(),
                                          &Programmes::DecideCohort, decide);
  ASSERT_OK(decided);
  EXPECT_EQ(decided->state(), pb::Cohort::STATE_CONFIRMED);
  EXPECT_EQ(decided->confirmed_count(), 1);

  fixture_.AdvanceTo(Paris(2026, 3, 16, 9));
  ASSERT_OK(
      fixture_.CallTwice(enrolments, &Enrolments::StartEnrolment,
                         Named<pb::StartEnrolmentRequest>(enrolment->name())));
  fixture_.AdvanceTo(Paris(2026, 11, 17, 17));
  ASSERT_OK(fixture_.CallTwice(
      enrolments, &Enrolments::CompleteEnrolment,
      Named<pb::CompleteEnrolmentRequest>(enrolment->name())));
  const auto completed =
      fixture_.Call(enrolments, &Enrolments::GetEnrolment,
                    Named<pb::GetEnrolmentRequest>(enrolment->name()));
  ASSERT_OK(completed);
  EXPECT_EQ(completed->state(), pb::Enrolment::STATE_COMPLETED);
  EXPECT_EQ(completed->end_date().month(), 11);

  const auto story = fixture_.Call(applications, &Applications::ExplainPlace,
                                   Named<pb::ExplainPlaceRequest>(name));
  ASSERT_OK(story);
  EXPECT_EQ(story->place_state(), pb::PLACE_STATE_CONFIRMED);
  ASSERT_EQ(story->events_size(), 4);
  EXPECT_THAT(story->events(0).text_fr(), HasSubstr("rang 1"));
  EXPECT_EQ(story->events(3).cause(), "ConfirmPlace");
}

TEST_P(LifecycleTest, OfferedPlacesOverTheWire) {
  Applications& applications = fixture_.applications();
  auto shrink = pb::UpdateCohortRequest();
  shrink.mutable_cohort()->set_name(fixture_.cohort);
  shrink.mutable_cohort()->set_capacity(1);
  shrink.mutable_update_mask()->add_paths("capacity");
  ASSERT_OK(fixture_.CallTwice(fixture_.programmes(), &Programmes::UpdateCohort,
                               shrink));
  const std::string holder = fixture_.Admitted(1).name();
  const std::string second = fixture_.Admitted(2).name();
  const std::string third = fixture_.Admitted(3).name();
  EXPECT_EQ(fixture_.ReadApplication(third).waiting_position(), 2);
  ASSERT_OK(fixture_.CallTwice(applications, &Applications::WithdrawApplication,
                               Named<pb::WithdrawApplicationRequest>(holder)));
  auto pass = Named<pb::DeclineOfferRequest>(second);
  pass.set_keep_rank(true);
  ASSERT_OK(
      fixture_.CallTwice(applications, &Applications::DeclineOffer, pass));
  const auto accepted =
      fixture_.CallTwice(applications, &Applications::AcceptOffer,
                         Named<pb::AcceptOfferRequest>(third));
  ASSERT_OK(accepted);
  EXPECT_EQ(accepted->place_state(), pb::PLACE_STATE_HELD);
  auto fail = Named<pb::ReportFundingFailureRequest>(third);
  fail.set_reason("refus");
  const auto at_risk = fixture_.CallTwice(
      applications, &Applications::ReportFundingFailure, fail);
  ASSERT_OK(at_risk);
  EXPECT_EQ(at_risk->place_state(), pb::PLACE_STATE_AT_RISK);
  const auto go_no_go =
      fixture_.Call(fixture_.programmes(), &Programmes::GetGoNoGo,
                    Named<pb::GetGoNoGoRequest>(fixture_.cohort));
  ASSERT_OK(go_no_go);
  EXPECT_EQ(go_no_go->at_risk_count(), 1);
  EXPECT_EQ(go_no_go->minimum(), 1);
}

TEST_P(LifecycleTest, AgreementsOverTheWire) {
  Enrolments& enrolments = fixture_.enrolments();
  const pb::Enrolment enrolment = fixture_.Confirmed(1);
  pb::ListAgreementsRequest list;
  list.set_parent(fixture_.body);
  list.set_application(enrolment.application());
  const auto listed =
      fixture_.Call(enrolments, &Enrolments::ListAgreements, list);
  ASSERT_OK(listed);
  ASSERT_EQ(listed->agreements_size(), 1);
  const std::string name = listed->agreements(0).name();
  EXPECT_EQ(listed->agreements(0).state(), pb::Agreement::STATE_SIGNED);
  EXPECT_EQ(listed->agreements(0).withdrawal_end_date().day(), 12);

  fixture_.AdvanceTo(Paris(2026, 3, 13));
  const auto gate = fixture_.Call(enrolments, &Enrolments::GetPaymentGate,
                                  Named<pb::GetPaymentGateRequest>(name));
  ASSERT_OK(gate);
  EXPECT_EQ(gate->allowed_cents(), 51750);
  EXPECT_THAT(gate->rule(), HasSubstr("L6353-6"));
  EXPECT_THAT(gate->text_fr(), HasSubstr("517,50 €"));
  EXPECT_THAT(gate->text_en(), HasSubstr("€517.50"));
  auto payment = Named<pb::RequestPaymentRequest>(name);
  payment.set_amount_cents(51750);
  const auto asked =
      fixture_.CallTwice(enrolments, &Enrolments::RequestPayment, payment);
  ASSERT_OK(asked);
  EXPECT_EQ(asked->requested_cents(), 51750);
  EXPECT_EQ(asked->state(), pb::Agreement::STATE_BINDING);
  EXPECT_THAT(fixture_.Call(enrolments, &Enrolments::WithdrawFromAgreement,
                            Named<pb::WithdrawFromAgreementRequest>(name)),
              HasReason(Reason::kWithdrawalPeriodOver));
  auto end = Named<pb::EndAgreementRequest>(name);
  end.set_reason("Motif");
  ASSERT_OK(fixture_.CallTwice(enrolments, &Enrolments::EndAgreement, end));
  const auto ended = fixture_.Call(enrolments, &Enrolments::GetAgreement,
                                   Named<pb::GetAgreementRequest>(name));
  ASSERT_OK(ended);
  EXPECT_EQ(ended->state(), pb::Agreement::STATE_ENDED);
  pb::ListEnrolmentsRequest lost;
  lost.set_parent(fixture_.cohort);
  lost.set_state(pb::Enrolment::STATE_WITHDRAWN);
  EXPECT_EQ(fixture_.Call(enrolments, &Enrolments::ListEnrolments, lost)
                ->enrolments_size(),
            1);
}

TEST_P(LifecycleTest, AContractIsWithdrawnFromInTime) {
  const pb::Enrolment enrolment = fixture_.Confirmed(1);
  pb::ListAgreementsRequest list;
  list.set_parent(fixture_.body);
  const auto listed =
      fixture_.Call(fixture_.enrolments(), &Enrolments::ListAgreements, list);
  ASSERT_OK(listed);
  const auto withdrawn = fixture_.CallTwice(
      fixture_.enrolments(), &Enrolments::WithdrawFromAgreement,
      Named<pb::WithdrawFromAgreementRequest>(listed->agreements(0).name()));
  ASSERT_OK(withdrawn);
  EXPECT_EQ(withdrawn->state(), pb::Agreement::STATE_WITHDRAWN);
  EXPECT_EQ(fixture_.ReadApplication(enrolment.application()).place_state(),
            pb::PLACE_STATE_RELEASED);
}

TEST_P(LifecycleTest, AnEmployerReplacesAndALearnerLeaves) {
  Enrolments& enrolments = fixture_.enrolments();
  const std::string leaving = fixture_.Admitted(1).name();
  auto payer = Named<pb::ChangePayerRequest>(leaving);
  payer.mutable_payer()->set_kind(type::v1::PAYER_KIND_EMPLOYER);
  payer.mutable_payer()->set_organisation(fixture_.employer);
  ASSERT_OK(fixture_.Call(fixture_.applications(), &Applications::ChangePayer,
                          payer));
  const std::string agreement = fixture_.Committed(leaving).name();
  pb::ConfirmPlaceRequest confirm;
  confirm.set_application(leaving);
  confirm.set_commitment(pb::COMMITMENT_KIND_SIGNED_AGREEMENT);
  const auto enrolment =
      fixture_.Call(enrolments, &Enrolments::ConfirmPlace, confirm);
  ASSERT_OK(enrolment);
  auto replace = Named<pb::ReplaceLearnerRequest>(enrolment->name());
  replace.set_reason("Mutation");
  replace.set_application(fixture_.Admitted(2).name());
  EXPECT_THAT(fixture_.Call(enrolments, &Enrolments::ReplaceLearner, replace),
              HasReason(Reason::kIllegalTransition));

  pb::UpdateCohortRequest fill;
  fill.mutable_cohort()->set_name(fixture_.cohort);
  fill.mutable_cohort()->set_capacity(2);
  ASSERT_OK(
      fixture_.Call(fixture_.programmes(), &Programmes::UpdateCohort, fill));
  replace.set_application(fixture_.Admitted(3).name());
  const auto entered =
      fixture_.CallTwice(enrolments, &Enrolments::ReplaceLearner, replace);
  ASSERT_OK(entered);
  EXPECT_EQ(entered->application(), replace.application());
  EXPECT_EQ(entered->organisation(), fixture_.employer);
  const auto convention =
      fixture_.Call(enrolments, &Enrolments::GetAgreement,
                    Named<pb::GetAgreementRequest>(agreement));
  ASSERT_OK(convention);
  EXPECT_EQ(convention->application(), replace.application());

  auto end = Named<pb::EndEnrolmentRequest>(entered->name());
  end.set_state(pb::Enrolment::STATE_TRANSFERRED);
  end.set_reason("Motif");
  end.set_force_majeure(true);
  const auto ended =
      fixture_.CallTwice(enrolments, &Enrolments::EndEnrolment, end);
  ASSERT_OK(ended);
  EXPECT_TRUE(ended->force_majeure());
  EXPECT_EQ(ended->end_date().day(), 2);
  end.set_state(pb::Enrolment::STATE_COMPLETED);
  EXPECT_THAT(fixture_.Call(enrolments, &Enrolments::EndEnrolment, end),
              HasReason(Reason::kIllegalTransition));
}

TEST_P(LifecycleTest, PeopleAndOrganisations) {
  pb::CreatePersonRequest create;
  create.set_parent(fixture_.body);
  create.mutable_person()->set_given_name("Personne");
  create.mutable_person()->set_family_name("Une");
  create.mutable_person()->set_email("personne.une@example.org");
  const auto person =
      fixture_.CallTwice(fixture_.people(), &People::CreatePerson, create);
  ASSERT_OK(person);
  pb::UpdatePersonRequest update;
  update.mutable_person()->set_name(person->name());
  pb::ExternalId& id = *update.mutable_person()->add_external_ids();
  id.set_system("cnam");
  id.set_value("N-1");
  const auto updated =
      fixture_.CallTwice(fixture_.people(), &People::UpdatePerson, update);
  ASSERT_OK(updated);
  EXPECT_EQ(updated->email(), "personne.une@example.org");
  pb::ListPersonsRequest list;
  list.set_parent(fixture_.body);
  *list.mutable_external_id() = id;
  const auto found =
      fixture_.Call(fixture_.people(), &People::ListPersons, list);
  ASSERT_OK(found);
  ASSERT_EQ(found->persons_size(), 1);
  EXPECT_EQ(found->persons(0).name(), person->name());
  EXPECT_THAT(found->feed_token(), HasSubstr("feed-"));
  const auto got = fixture_.Call(fixture_.people(), &People::GetPerson,
                                 Named<pb::GetPersonRequest>(person->name()));
  ASSERT_OK(got);
  EXPECT_EQ(got->etag(), updated->etag());

  pb::UpdateOrganisationRequest organisation;
  organisation.mutable_organisation()->set_name(fixture_.body +
                                                "/organisations/nouvelle");
  organisation.mutable_organisation()->set_display_name("Nouvelle");
  organisation.set_allow_missing(true);
  ASSERT_OK(fixture_.CallTwice(fixture_.people(), &People::UpdateOrganisation,
                               organisation));
  pb::ListOrganisationsRequest organisations;
  organisations.set_parent(fixture_.body);
  EXPECT_EQ(
      fixture_
          .Call(fixture_.people(), &People::ListOrganisations, organisations)
          ->organisations_size(),
      2);
  EXPECT_OK(
      fixture_.Call(fixture_.people(), &People::GetOrganisation,
                    Named<pb::GetOrganisationRequest>(fixture_.employer)));
}

TEST_P(LifecycleTest, BodiesProgrammesAndCohorts) {
  Programmes& programmes = fixture_.programmes();
  pb::UpdateBodyRequest body;
  body.mutable_body()->set_name(fixture_.body);
  body.mutable_body()->set_email("contact@example.org");
  ASSERT_OK(fixture_.CallTwice(programmes, &Programmes::UpdateBody, body));
  const auto got = fixture_.Call(programmes, &Programmes::GetBody,
                                 Named<pb::GetBodyRequest>(fixture_.body));
  ASSERT_OK(got);
  EXPECT_EQ(got->display_name(), "Organisme d’essai");
  EXPECT_EQ(got->email(), "contact@example.org");
  EXPECT_EQ(
      fixture_
          .Call(programmes, &Programmes::ListBodies, pb::ListBodiesRequest())
          ->bodies_size(),
      1);

  const auto read = [&] {
    return fixture_.Call(programmes, &Programmes::GetProgramme,
                         Named<pb::GetProgrammeRequest>(fixture_.programme));
  };
  ASSERT_OK(read());
  pb::UpdateProgrammeRequest update;
  update.mutable_programme()->set_name(fixture_.programme);
  update.mutable_programme()->set_rhythm("Deux jours par mois");
  ASSERT_OK(
      fixture_.CallTwice(programmes, &Programmes::UpdateProgramme, update));
  // Read again, whether from memory or not.
  EXPECT_EQ(read()->rhythm(), "Deux jours par mois");
  EXPECT_EQ(read()->module_groups_size(), 1);
  pb::ListProgrammesRequest list;
  list.set_parent(fixture_.body);
  EXPECT_EQ(fixture_.Call(programmes, &Programmes::ListProgrammes, list)
                ->programmes_size(),
            1);
  const auto cohort =
      fixture_.Call(programmes, &Programmes::GetCohort,
                    Named<pb::GetCohortRequest>(fixture_.cohort));
  ASSERT_OK(cohort);
  EXPECT_EQ(cohort->state(), pb::Cohort::STATE_OPEN);
  EXPECT_EQ(cohort->prices_size(), 4);
  EXPECT_FALSE(cohort->prices(3).has_amount_cents());
  pb::ListCohortsRequest cohorts;
  cohorts.set_parent(fixture_.body);
  EXPECT_EQ(fixture_.Call(programmes, &Programmes::ListCohorts, cohorts)
                ->cohorts_size(),
            1);
}

PARCOURS_ON_BOTH_ENGINES(LifecycleTest);

}  // namespace
}  // namespace parcours::enrolment
