// What a cohort has become, read back through the APIs.

#ifndef PARCOURS_CLIENTS_CLI_DEMO_REPORT_H_
#define PARCOURS_CLIENTS_CLI_DEMO_REPORT_H_

#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "clients/cli/services.h"
#include "parcours/enrolment/v1/application.pb.h"

namespace parcours::cli::demo {

// A certificate and what its public verification answers.
struct CertificateLine {
  std::string name;
  std::string number;
  std::string code;
  std::string holder;
  std::string award_date;
  bool verified = false;
};

// Figures of a cohort. Every one is read from a service, none is counted while
// the demonstration runs.
struct Report {
  std::string programme;
  std::string cohort;
  std::uint64_t seed = 0;
  std::string business_time;
  int capacity = 0;
  int applications = 0;
  int awaiting_pieces = 0;
  int admitted = 0;
  int derogations = 0;
  int refused = 0;
  int withdrawn = 0;
  int waitlisted_peak = 0;
  int offers_made = 0;
  int offers_accepted = 0;
  int offers_declined = 0;
  int offers_expired = 0;
  int legal_withdrawals = 0;
  // Places confirmed at the end of the first day.
  int confirmed = 0;
  std::map<std::string, int> confirmed_by_payer;
  int completed = 0;
  int dropped_out = 0;
  int days = 0;
  int half_days = 0;
  int scheduled_minutes = 0;
  int attendance_entries = 0;
  int attendance_corrections = 0;
  int late_arrivals = 0;
  std::int64_t due_minutes = 0;
  std::int64_t attended_minutes = 0;
  std::int64_t justified_minutes = 0;
  std::int64_t absent_minutes = 0;
  int closed_sheets = 0;
  int completion_records = 0;
  int notes = 0;
  int notes_out_of_range = 0;
  int notes_late = 0;
  int awarded = 0;
  int deferred = 0;
  int refused_by_jury = 0;
  int completed_without_jury = 0;
  std::vector<CertificateLine> certificates;
};

// The stories of the places of a cohort, one for each application.
using PlaceStories = std::vector<enrolment::v1::ExplainPlaceResponse>;

// The most applications that were in the waiting list after any instant.
int WaitlistedPeak(const PlaceStories& stories);

// How many steps led from an open offer to `place_state`; with a cause, only
// those made by that method or job.
int CountOfferEnds(const PlaceStories& stories,
                   enrolment::v1::PlaceState place_state,
                   const std::string& cause = "");

// How many places were confirmed at `time`.
int ConfirmedAt(const PlaceStories& stories, absl::Time time);

// Reads everything. Services without an address leave their figures at 0.
absl::StatusOr<Report> ReadReport(const Services& services,
                                  const std::string& cohort,
                                  std::uint64_t seed);

// The report as JSON, indented, keys in a fixed order.
std::string ToJson(const Report& report);

// The report for a person, in French.
void PrintSummary(std::ostream& out, const Report& report);

}  // namespace parcours::cli::demo

#endif  // PARCOURS_CLIENTS_CLI_DEMO_REPORT_H_
