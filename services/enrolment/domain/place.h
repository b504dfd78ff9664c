#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_PLACE_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_PLACE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/rules/rule_book.h"
#include "services/enrolment/domain/application.h"
#include "services/enrolment/domain/cohort.h"
#include "services/enrolment/domain/place_history.h"

namespace parcours::enrolment {

// The places of a cohort at the moment of a decision: REQUIRES that the cohort
// is locked, so that nothing moves between the count and the decision.
struct PlaceSituation {
  const Cohort& cohort;
  PlaceCounts counts;
  absl::Time now;
  // The method or job that decides.
  std::string cause;
  const rules::RuleBook& rules;

  int64_t free() const { return cohort.capacity - counts.taken(); }
};

// Whether the event that gives a rank has come about for an application that
// has none.
bool EarnsRank(const Application& application, RankEvent event, bool committed);

// Gives `application` the rank after `last_rank`, and with it a held place
// within the capacity, or one in the waiting list. Nobody overtakes: while
// somebody waits, a newcomer waits too.
absl::StatusOr<PlaceEvent> GiveRank(Application& application,
                                    const PlaceSituation& situation,
                                    int64_t last_rank);

// Starts the time in which the payer must be committed: for a held place, from
// the admission on, while the cohort runs. Nothing changes for any other place.
absl::Status StartCommitmentDeadline(Application& application,
                                     const PlaceSituation& situation);

// Starts the time again for a place that waits for the payer and has none:
// held, from the admission on, or at risk. Nothing changes for any other place,
// or while the cohort does not run.
absl::Status ResumeDeadline(Application& application,
                            const PlaceSituation& situation);

// The cohort is put off: no time runs against the place, an offer goes back
// into the waiting list, ranks stay. The event tells what changed, if anything.
std::optional<PlaceEvent> Suspend(Application& application,
                                  const PlaceSituation& situation);

// Whether a freed place may be offered: until the entry cut-off, to the first
// admitted in the list.
bool MayOffer(const PlaceSituation& situation);

// The application to which a free place is offered: the lowest rank among the
// admitted ones of the waiting list, `passed` excepted; null when there is
// none.
const Application* NextInLine(const std::vector<Application>& waitlisted,
                              const ApplicationName& passed);

// Offers a free place until the offer expires, but never beyond the entry
// cut-off. The event cites the rule of the validity, unless the cohort has set
// its own. REQUIRES: MayOffer.
absl::StatusOr<PlaceEvent> Offer(Application& application,
                                 const PlaceSituation& situation);

// Whether the payer, asked today, can still decide before the course starts.
absl::StatusOr<bool> PayerCanDecideInTime(const Payer& payer,
                                          const PlaceSituation& situation);

// Takes the offered place. With `at_own_cost` the learner becomes the payer.
// NO_PLACE, OFFER_EXPIRED, OWN_CHOICE_NEEDED.
absl::StatusOr<PlaceEvent> AcceptOffer(Application& application,
                                       const PlaceSituation& situation,
                                       bool at_own_cost);

// Refuses the offered place; with `keep_rank` the application waits for the
// next. NO_PLACE, OFFER_EXPIRED.
absl::StatusOr<PlaceEvent> DeclineOffer(Application& application,
                                        const PlaceSituation& situation,
                                        bool keep_rank);

// A confirmed place: admitted, holding a place, and the payer committed in
// writing. NOT_COMMITTED names what is missing; NO_PLACE.
absl::StatusOr<PlaceEvent> Confirm(Application& application,
                                   const PlaceSituation& situation,
                                   bool committed);

// A confirmed place gets another payer: it is held until that one is committed.
// REQUIRES: the place is confirmed.
absl::StatusOr<PlaceEvent> AwaitNewPayer(Application& application,
                                         const PlaceSituation& situation);

// A funder has failed: the place stays taken for a dated time. NO_PLACE.
absl::StatusOr<PlaceEvent> PutAtRisk(Application& application,
                                     const PlaceSituation& situation,
                                     const std::string& reason);

// Takes out of what is told of a place why the funding failed: somebody's
// words.
void EraseReason(PlaceEvent& event);

// Gives the place up: withdrawal, refusal, lapse, end. A rank stays in the
// story and is never given again.
PlaceEvent Release(Application& application, const PlaceSituation& situation,
                   std::string_view why_fr, std::string_view why_en);

// What is due at `situation.now`: an offer that expired, a held place without
// commitment, a place at risk, a piece that was asked again and never came.
// REQUIRES: IsDue.
PlaceEvent Lapse(Application& application, const PlaceSituation& situation);
bool IsDue(const Application& application, absl::Time now);

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_PLACE_H_
