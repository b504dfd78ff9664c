#include "services/evaluation/domain/jury.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/crypto/digest.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"
#include "common/time/clock.h"

namespace parcours::evaluation {
namespace {

absl::Status Illegal(const Jury& jury, std::string_view action) {
  return MakeError(Reason::kIllegalTransition,
                   {{"resource", jury.name.text()},
                    {"state", std::string(NameOf(jury.state))},
                    {"action", std::string(action)}});
}

absl::Status QuorumNotMet(std::size_t present, int64_t quorum) {
  return MakeError(Reason::kQuorumNotMet,
                   {{"present", Cat(present)}, {"quorum", Cat(quorum)}});
}

bool ReachesQuorum(std::size_t members, int64_t quorum) {
  return static_cast<int64_t>(members) >= quorum;
}

JuryMember* FindMember(Jury& jury, const PersonName& person) {
  const auto found =
      std::find_if(jury.members.begin(), jury.members.end(),
                   [&](const JuryMember& m) { return m.person == person; });
  return found == jury.members.end() ? nullptr : &*found;
}

bool HasConflict(const std::vector<Conflict>& conflicts,
                 const PersonName& person) {
  return std::any_of(conflicts.begin(), conflicts.end(),
                     [&](const Conflict& c) { return c.person == person; });
}

std::string DayText(absl::CivilDay day) {
  return absl::StrFormat("%02d/%02d/%d", day.day(), day.month(), day.year());
}

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%d/%m/%Y à %H:%M", time, ParisZone());
}

std::string_view OutcomeText(DecisionOutcome outcome) {
  switch (outcome) {
    case DecisionOutcome::kAwarded:
      return "certificat décerné";
    case DecisionOutcome::kDeferred:
      return "ajournement, nouvel examen par le prochain jury";
    case DecisionOutcome::kRefused:
      return "certificat refusé";
  }
  return "";
}

const MinutesCandidate* FindCandidate(
    const std::vector<MinutesCandidate>& candidates,
    const EnrolmentName& enrolment) {
  const auto found = std::find_if(
      candidates.begin(), candidates.end(),
      [&](const MinutesCandidate& c) { return c.enrolment == enrolment; });
  return found == candidates.end() ? nullptr : &*found;
}

std::string CandidateText(const std::vector<MinutesCandidate>& candidates,
                          const EnrolmentName& enrolment) {
  const MinutesCandidate* known = FindCandidate(candidates, enrolment);
  if (known == nullptr) return std::string(enrolment.id());
  // Somebody who was erased has no name.
  std::string text = known->display_name.empty() ? std::string(enrolment.id())
                                                 : known->display_name;
  if (known->page_count > 0) {
    CatTo(text, " (note de ", known->page_count, " pages",
          known->out_of_range ? ", hors de la fourchette demandée" : "",
          known->late ? ", remise en retard" : "", ")");
  }
  return text;
}

std::string MinutesText(const Jury& jury, const Closing& closing) {
  std::string text = "PROCÈS-VERBAL DE JURY\n\n";
  if (!closing.plan.certificate_title.empty()) {
    CatTo(text, closing.plan.certificate_title, "\n");
  } else if (!closing.plan.action_title.empty()) {
    CatTo(text, closing.plan.action_title, "\n");
  }
  CatTo(text, "Promotion : ", jury.cohort().id(), "\nSéance du ",
        DayText(jury.session_date));
  if (!jury.place.empty()) CatTo(text, ", ", jury.place);
  CatTo(text, "\n\nMembres :\n");
  for (const JuryMember& member : jury.members) {
    CatTo(text, "- ", member.display_name,
          member.role == MemberRole::kPresident ? ", présidence" : "",
          member.quality.empty() ? "" : ", ", member.quality,
          member.present ? " : présent·e\n" : " : absent·e\n");
  }
  CatTo(text, "Quorum : ", jury.quorum,
        " membres sans conflit d’intérêts avec la personne examinée.\n",
        "\nDécisions :\n");
  for (const Decision& decision : closing.decisions) {
    CatTo(text, "- ", CandidateText(closing.candidates, decision.enrolment),
          " : ", OutcomeText(decision.outcome));
    if (decision.mark_hundredths.has_value()) {
      CatTo(text, ", note ",
            absl::StrFormat("%d,%02d", *decision.mark_hundredths / 100,
                            *decision.mark_hundredths % 100));
    }
    if (!decision.corrects.empty()) {
      CatTo(text, " ; rectifie la décision ", decision.corrects.text());
    }
    if (!decision.reason.empty()) CatTo(text, ". Motif : ", decision.reason);
    CatTo(text, ". Ont délibéré : ", decision.deciding_members.size(), "\n");
  }
  if (!closing.departed.empty()) {
    CatTo(text, "\nOnt quitté la formation avant d’être examiné·es :\n");
    for (const EnrolmentName& enrolment : closing.departed) {
      CatTo(text, "- ", CandidateText(closing.candidates, enrolment), "\n");
    }
  }
  CatTo(text, "\nClos le ", TimeText(closing.now), ".\n");
  return text;
}

}  // namespace

absl::Status CheckMembers(const Jury& jury, const AssessmentPlan& plan) {
  FieldViolations violations;
  std::set<PersonName> seen;
  int presidents = 0;
  for (std::size_t i = 0; i < jury.members.size(); ++i) {
    if (!seen.insert(jury.members[i].person).second) {
      violations.Add(Cat("jury.members[", i, "].person"),
                     Reason::kFieldMalformed,
                     {{"expected", "a person who is named once"}});
    }
    if (jury.members[i].role == MemberRole::kPresident && ++presidents > 1) {
      violations.Add(Cat("jury.members[", i, "].role"), Reason::kFieldMalformed,
                     {{"expected", "the role of the one president"}});
    }
  }
  if (presidents == 0) {
    violations.Add("jury.members", Reason::kFieldRequired);
  }
  RETURN_IF_ERROR(violations.ToStatus());
  if (!ReachesQuorum(jury.members.size(), plan.jury_quorum)) {
    return QuorumNotMet(jury.members.size(), plan.jury_quorum);
  }
  return absl::OkStatus();
}

absl::Status CheckConvened(const Jury& jury, std::string_view action) {
  if (jury.state == JuryState::kConvened) return absl::OkStatus();
  return Illegal(jury, action);
}

absl::Status OpenSession(Jury& jury, const AssessmentPlan& plan,
                         const std::vector<PersonName>& present,
                         std::vector<EnrolmentName> candidates,
                         absl::Time now) {
  RETURN_IF_ERROR(CheckConvened(jury, "OpenJury"));
  if (ParisDay(now) < jury.session_date) {
    return MakeError(Reason::kTooEarly,
                     {{"action", "OpenJury"},
                      {"from", absl::FormatCivilTime(jury.session_date)},
                      {"article", jury.name.text()}});
  }
  FieldViolations violations;
  for (std::size_t i = 0; i < present.size(); ++i) {
    JuryMember* const member = FindMember(jury, present[i]);
    if (member == nullptr) {
      violations.Add(Cat("present_members[", i, "]"),
                     Reason::kUnknownReference);
    } else {
      member->present = true;
    }
  }
  RETURN_IF_ERROR(violations.ToStatus());
  const auto present_count =
      std::count_if(jury.members.begin(), jury.members.end(),
                    [](const JuryMember& member) { return member.present; });
  if (present_count < plan.jury_quorum) {
    return QuorumNotMet(static_cast<std::size_t>(present_count),
                        plan.jury_quorum);
  }
  jury.quorum = plan.jury_quorum;
  jury.candidates = std::move(candidates);
  jury.open_time = now;
  jury.state = JuryState::kOpen;
  return absl::OkStatus();
}

absl::Status CheckSits(const Jury& jury, std::string_view action) {
  switch (jury.state) {
    case JuryState::kConvened:
      return Illegal(jury, action);
    case JuryState::kOpen:
      return absl::OkStatus();
    case JuryState::kClosed:
      return MakeError(Reason::kMinutesClosed);
  }
  return MakeError(Reason::kInternal, {{"reference", "jury-state"}});
}

absl::Status SettleDecidingMembers(const Jury& jury,
                                   const std::vector<Conflict>& conflicts,
                                   Decision& decision) {
  if (decision.deciding_members.empty()) {
    for (const JuryMember& member : jury.members) {
      if (member.present && !HasConflict(conflicts, member.person)) {
        decision.deciding_members.push_back(member.person);
      }
    }
  } else {
    std::vector<PersonName>& named = decision.deciding_members;
    for (std::size_t i = 0; i < named.size(); ++i) {
      const auto sits = std::find_if(jury.members.begin(), jury.members.end(),
                                     [&](const JuryMember& m) {
                                       return m.person == named[i] && m.present;
                                     });
      if (sits == jury.members.end()) {
        return MakeFieldError(Cat("decision.deciding_members[", i, "]"),
                              Reason::kUnknownReference);
      }
      if (HasConflict(conflicts, named[i])) {
        return MakeError(Reason::kConflictOfInterest,
                         {{"member", named[i].text()},
                          {"candidate", decision.enrolment.text()}});
      }
    }
    std::sort(named.begin(), named.end());
    named.erase(std::unique(named.begin(), named.end()), named.end());
  }
  if (!ReachesQuorum(decision.deciding_members.size(), jury.quorum)) {
    return QuorumNotMet(decision.deciding_members.size(), jury.quorum);
  }
  return absl::OkStatus();
}

absl::Status CheckDecision(const Decision& decision,
                           const AssessmentPlan& plan) {
  const bool awarded = decision.outcome == DecisionOutcome::kAwarded;
  if (!awarded && decision.reason.empty()) {
    return MakeFieldError("decision.reason", Reason::kReasonRequired);
  }
  if (plan.marked && awarded && !decision.mark_hundredths.has_value()) {
    return MakeFieldError("decision.mark_hundredths", Reason::kFieldRequired);
  }
  if (!plan.marked && decision.mark_hundredths.has_value()) {
    return MakeFieldError("decision.mark_hundredths", Reason::kFieldOutOfRange,
                          {{"minimum", "none"}, {"maximum", "none"}});
  }
  return absl::OkStatus();
}

std::string ReasonCommitment(const Decision& decision) {
  // A text that is there must be the one that was committed to.
  const bool erased = decision.reason.empty() && decision.reason_salt.empty() &&
                      !decision.reason_commitment.empty();
  return erased ? decision.reason_commitment
                : crypto::Commitment(decision.reason_salt, decision.reason);
}

absl::StatusOr<Minutes> CloseSession(Jury& jury, const Closing& closing) {
  RETURN_IF_ERROR(CheckSits(jury, "CloseMinutes"));
  std::set<EnrolmentName> settled(closing.departed.begin(),
                                  closing.departed.end());
  Minutes minutes;
  for (const Decision& decision : closing.decisions) {
    settled.insert(decision.enrolment);
    switch (decision.outcome) {
      case DecisionOutcome::kAwarded:
        ++minutes.awarded_count;
        break;
      case DecisionOutcome::kDeferred:
        ++minutes.deferred_count;
        break;
      case DecisionOutcome::kRefused:
        ++minutes.refused_count;
        break;
    }
  }
  std::vector<std::string> undecided;
  for (const EnrolmentName& candidate : jury.candidates) {
    if (!settled.contains(candidate)) undecided.push_back(candidate.text());
  }
  if (!undecided.empty()) {
    return MakeError(Reason::kDecisionsMissing,
                     {{"candidates", absl::StrJoin(undecided, ", ")}});
  }

  jury.state = JuryState::kClosed;
  jury.close_time = closing.now;
  minutes.name = MinutesOf(jury.name);
  minutes.position = closing.position;
  minutes.previous_digest = closing.previous_digest;
  minutes.departed = closing.departed;
  minutes.close_time = closing.now;
  minutes.text = MinutesText(jury, closing);
  minutes.text_salt = crypto::RandomHex(16);
  minutes.digest = DigestOf(minutes, closing.decisions);
  return minutes;
}

std::string DigestOf(const Minutes& minutes,
                     const std::vector<Decision>& decisions) {
  crypto::Sha256 digest;
  const auto line = [&digest](std::string_view label, std::string_view value) {
    digest.Update(label);
    digest.Update("=");
    digest.Update(value);
    digest.Update("\n");
  };
  line("minutes", minutes.name.text());
  line("position", Cat(minutes.position));
  line("previous", minutes.previous_digest);
  line("closed", Cat(absl::ToUnixMicros(minutes.close_time)));
  for (const Decision& decision : decisions) {
    line("decision", decision.name.text());
    line("enrolment", decision.enrolment.text());
    line("outcome", NameOf(decision.outcome));
    line("corrects", decision.corrects.text());
    line("mark", decision.mark_hundredths.has_value()
                     ? Cat(*decision.mark_hundredths)
                     : "");
    for (const PersonName& member : decision.deciding_members) {
      line("member", member.text());
    }
    line("reason", ReasonCommitment(decision));
  }
  for (const EnrolmentName& enrolment : minutes.departed) {
    line("departed", enrolment.text());
  }
  line("text", crypto::Commitment(minutes.text_salt, minutes.text));
  return digest.FinishHex();
}

}  // namespace parcours::evaluation
