#include "services/enrolment/domain/erasure_use_cases.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/status/error.h"
#include "common/status/macros.h"
#include "services/enrolment/domain/locked_place.h"
#include "services/enrolment/domain/place.h"

namespace parcours::enrolment {
namespace {

constexpr char kErased[] = "Personne effacée.";
constexpr char kErasedEn[] = "Person erased.";

bool MustBeginAgain(const absl::Status& status) {
  const std::optional<Reason> reason = ReasonOf(status);
  return reason == Reason::kFeedTrimmed ||
         reason == Reason::kFeedIncarnationChanged;
}

}  // namespace

absl::Status NoteErasure(privacy::ErasureLog& log, const PersonName& person,
                         absl::Time now) {
  // Where it cannot be noted says nothing to the caller.
  return log.Append(person.text(), now).ok()
             ? absl::OkStatus()
             : MakeError(Reason::kDatabaseUnavailable);
}

namespace {

bool HoldsPlace(PlaceState state) {
  return state != PlaceState::kNone && state != PlaceState::kReleased;
}

// Only somebody whom a restored copy brought back is still under way: whoever
// has left gives up the place, and it is offered on.
absl::Status EraseApplication(EnrolmentUnit& unit, const rules::RuleBook& rules,
                              const access::Caller& caller,
                              const Cohort& cohort, Application application) {
  const bool under_way = IsUnderWay(application, cohort, caller.now);
  Erase(application);
  if (!under_way) {
    unit.applications().Update(application);
    return absl::OkStatus();
  }
  if (application.review_state != ReviewState::kAdmitted) {
    application.review_state = ReviewState::kWithdrawn;
    application.pieces_due_time.reset();
  }
  if (!HoldsPlace(application.place_state)) {
    unit.applications().Update(application);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(LockedPlaces places,
                   unit.LockPlaces(caller.scope, cohort.name));
  const PlaceState before = application.place_state;
  LockedPlace locked{.places = std::move(places),
                     .application = std::move(application),
                     .before = before,
                     .cause = "ErasePerson",
                     .now = caller.now,
                     .rules = rules};
  unit.Append(
      Release(locked.application, locked.Situation(), kErased, kErasedEn));
  return SettlePlace(unit, caller, locked);
}

const Cohort& CohortOf(const PersonRecord& record, const CohortName& name) {
  return *std::find_if(
      record.cohorts.begin(), record.cohorts.end(),
      [&](const Cohort& cohort) { return cohort.name == name; });
}

std::vector<UploadName> UploadsOf(
    const std::vector<Application>& applications) {
  std::vector<UploadName> uploads;
  for (const Application& application : applications) {
    for (const Piece& piece : application.pieces) {
      uploads.push_back(piece.upload);
    }
  }
  return uploads;
}

}  // namespace

absl::StatusOr<Erasure> EraseWithin(EnrolmentUnit& unit,
                                    const rules::RuleBook& rules,
                                    const access::Caller& caller,
                                    PersonRecord record, ErasureGround ground) {
  const PersonName name = record.person.name;
  const std::vector<UploadName> files = UploadsOf(record.applications);
  for (Enrolment& enrolment : record.enrolments) {
    LosePlace(enrolment, kErased,
              LocalDay(CohortOf(record, enrolment.cohort), caller.now));
    unit.KeepExternalIds("enrolments", enrolment.name.text(), {});
    Erase(enrolment);
    unit.enrolments().Update(enrolment);
  }
  for (Agreement& agreement : record.agreements) {
    if (!IsOver(CohortOf(record, agreement.cohort), caller.now)) {
      End(agreement, kErased).IgnoreError();  // It may have ended before.
    }
    Erase(agreement);
    unit.KeepExternalIds("agreements", agreement.name.text(),
                         agreement.external_ids);
    unit.agreements().Update(agreement);
  }
  for (const Application& application : record.applications) {
    RETURN_IF_ERROR(unit.EraseReasons(application.name));
    RETURN_IF_ERROR(EraseApplication(unit, rules, caller,
                                     CohortOf(record, application.cohort),
                                     application));
  }
  Erase(record.person, caller.now);
  unit.KeepExternalIds("persons", name.text(), {});
  unit.persons().Update(record.person);
  RETURN_IF_ERROR(unit.Forget(name, files));
  Erasure erasure = BeginErasure(name, ground, caller.now);
  unit.erasures().Insert(erasure);
  return erasure;
}

absl::StatusOr<std::vector<privacy::LegalHold>> HoldsOfPeers(
    const std::vector<PeerPort*>& peers, const access::Caller& caller,
    const PersonName& person) {
  std::vector<privacy::LegalHold> holds;
  for (PeerPort* const peer : peers) {
    ASSIGN_OR_RETURN(const std::vector<privacy::LegalHold> said,
                     peer->LegalHolds(caller, person));
    holds.insert(holds.end(), said.begin(), said.end());
  }
  return holds;
}

absl::StatusOr<std::vector<privacy::LegalHold>> HoldsOn(
    EnrolmentStore& store, const rules::RuleBook& rules,
    const access::Caller& caller, const PersonName& person) {
  std::optional<PersonRecord> record;
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(record, unit.RecordOf(caller.scope, person));
    return absl::OkStatus();
  }));
  return LegalHoldsOn(*record, rules, caller.now);
}

absl::StatusOr<Erasure> ErasePerson(EnrolmentStore& store,
                                    const rules::RuleBook& rules,
                                    const ErasurePorts& ports,
                                    const access::Caller& caller,
                                    const PersonName& name,
                                    ErasureGround ground,
                                    const std::string& etag, Mode mode) {
  ASSIGN_OR_RETURN(
      const Person known,
      GetResource<Person>(store, caller, &EnrolmentUnit::persons, name));
  std::vector<privacy::LegalHold> elsewhere;
  // Before the transaction: nobody waits for another service behind a lock.
  if (!known.erase_time.has_value()) {
    ASSIGN_OR_RETURN(elsewhere, HoldsOfPeers(ports.peers, caller, name));
  }
  return ChangeResource<Erasure>(
      store, caller, &EnrolmentUnit::erasures,
      [&](EnrolmentUnit& unit) -> absl::StatusOr<Erasure> {
        ASSIGN_OR_RETURN(PersonRecord record,
                         unit.RecordOf(caller.scope, name));
        if (record.person.erase_time.has_value()) {
          return unit.erasures().Get(caller.scope, ErasureOf(name));
        }
        RETURN_IF_ERROR(CheckEtag(etag, name.text(), record.person.version));
        ASSIGN_OR_RETURN(std::vector<privacy::LegalHold> holds,
                         LegalHoldsOn(record, rules, caller.now));
        holds.insert(holds.end(), elsewhere.begin(), elsewhere.end());
        RETURN_IF_ERROR(CheckMayErase(std::move(holds)));
        // Last, when nothing refuses any more: what is noted will be done.
        if (mode == Mode::kCommit) {
          RETURN_IF_ERROR(NoteErasure(ports.log, name, caller.now));
        }
        return EraseWithin(unit, rules, caller, std::move(record), ground);
      },
      mode);
}

absl::Status EraseAgain(EnrolmentStore& store, const rules::RuleBook& rules,
                        const access::Caller& caller, const PersonName& name) {
  access::Caller own = caller;
  own.method = "ErasePerson";
  const auto erase = [&](EnrolmentUnit& unit) -> absl::StatusOr<std::string> {
    ASSIGN_OR_RETURN(PersonRecord record, unit.RecordOf(own.scope, name));
    // The log does not say why: mostly because they asked for it.
    ASSIGN_OR_RETURN(const Erasure erasure,
                     EraseWithin(unit, rules, own, std::move(record),
                                 ErasureGround::kRequested));
    return erasure.name.text();
  };
  return store.Change(own, erase).status();
}

absl::Status AcknowledgeErasures(EnrolmentStore& store,
                                 const access::Caller& caller,
                                 const std::string& service,
                                 const std::vector<ErasureName>& erasures,
                                 const std::string* position) {
  access::Caller own = caller;
  own.method = "AcknowledgeErasure";
  const auto acknowledge =
      [&](EnrolmentUnit& unit) -> absl::StatusOr<std::string> {
    for (const ErasureName& name : erasures) {
      absl::StatusOr<Erasure> erasure = unit.erasures().Lock(own.scope, name);
      if (erasure.status().code() == absl::StatusCode::kNotFound) continue;
      if (!erasure.ok()) return erasure.status();
      if (!Acknowledge(*erasure, service, own.now)) continue;
      unit.erasures().Update(*erasure);
    }
    if (position != nullptr) unit.SetPeerPosition(service, *position);
    return service;
  };
  return store.Change(own, acknowledge).status();
}

absl::Status AcknowledgeOwnErasures(EnrolmentStore& store,
                                    const access::Caller& caller) {
  std::vector<ErasureName> finished;
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    finished.clear();
    ASSIGN_OR_RETURN(const std::vector<Erasure> waiting,
                     unit.ErasuresAwaiting(kThisService));
    for (const Erasure& erasure : waiting) finished.push_back(erasure.name);
    return absl::OkStatus();
  }));
  if (finished.empty()) return absl::OkStatus();
  return AcknowledgeErasures(store, caller, std::string(kThisService),
                             finished);
}

absl::StatusOr<bool> AwaitsErasures(EnrolmentStore& store,
                                    const access::Caller& caller,
                                    std::string_view service) {
  bool awaits = false;
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(const std::vector<Erasure> waiting,
                     unit.ErasuresAwaiting(service));
    awaits = !waiting.empty();
    return absl::OkStatus();
  }));
  return awaits;
}

absl::Status FollowErasures(EnrolmentStore& store, PeerPort& peer,
                            const access::Caller& caller) {
  while (true) {
    ASSIGN_OR_RETURN(const bool awaits,
                     AwaitsErasures(store, caller, peer.service()));
    if (!awaits) return absl::OkStatus();
    std::string token;
    RETURN_IF_ERROR(
        store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
          ASSIGN_OR_RETURN(token, unit.PeerPosition(peer.service()));
          return absl::OkStatus();
        }));
    absl::StatusOr<PeerErasures> said = peer.ErasuresAfter(caller, token);
    if (MustBeginAgain(said.status()) && !token.empty()) {
      said = PeerErasures{.done = {}, .next_token = "", .more = true};
    }
    if (!said.ok()) return said.status();
    if (said->next_token == token) return absl::OkStatus();
    RETURN_IF_ERROR(AcknowledgeErasures(store, caller, peer.service(),
                                        said->done, &said->next_token));
    if (!said->more) return absl::OkStatus();
  }
}

absl::StatusOr<Page<Erasure>> ListErasures(EnrolmentStore& store,
                                           const access::Caller& caller,
                                           const BodyName& body,
                                           const PageRequest& request) {
  Page<Erasure> page;
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    RETURN_IF_ERROR(unit.bodies().Get(caller.scope, body).status());
    return ReadPage<Erasure>(unit, page, [&] {
      return unit.erasures().List(caller.scope, body.text(), request);
    });
  }));
  return page;
}

}  // namespace parcours::enrolment
