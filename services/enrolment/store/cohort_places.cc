#include "services/enrolment/store/cohort_places.h"

#include <string>

namespace parcours::enrolment {

using ::parcours::storage::Row;
using ::parcours::storage::Rows;
using ::parcours::storage::Statement;

Statement SelectPlaces(const CohortName& cohort) {
  return {.sql =
              "SELECT last_rank, held, offered, confirmed, at_risk, waitlisted"
              " FROM cohort_places WHERE cohort = $1",
          .values = {cohort.text()}};
}

int64_t LastRankFrom(const Rows& rows) {
  return rows.empty() ? 0 : rows.front().Integer(0);
}

PlaceCounts PlaceCountsFrom(const Rows& rows) {
  if (rows.empty()) return {};
  const Row& row = rows.front();
  return {.held = row.Integer(1),
          .offered = row.Integer(2),
          .confirmed = row.Integer(3),
          .at_risk = row.Integer(4),
          .waitlisted = row.Integer(5)};
}

Statement CountInserted(const Application& application) {
  const auto count = [&](PlaceState state) {
    return int64_t{application.place_state == state ? 1 : 0};
  };
  return {.sql =
              "INSERT INTO cohort_places (cohort, last_rank, held, offered,"
              " confirmed, at_risk, waitlisted)"
              " VALUES ($1, $2, $3, $4, $5, $6, $7)"
              " ON CONFLICT (cohort) DO UPDATE SET"
              " last_rank = CASE"
              " WHEN excluded.last_rank > cohort_places.last_rank"
              " THEN excluded.last_rank ELSE cohort_places.last_rank END,"
              " held = cohort_places.held + excluded.held,"
              " offered = cohort_places.offered + excluded.offered,"
              " confirmed = cohort_places.confirmed + excluded.confirmed,"
              " at_risk = cohort_places.at_risk + excluded.at_risk,"
              " waitlisted = cohort_places.waitlisted + excluded.waitlisted",
          .values = {application.cohort.text(), application.rank,
                     count(PlaceState::kHeld), count(PlaceState::kOffered),
                     count(PlaceState::kConfirmed), count(PlaceState::kAtRisk),
                     count(PlaceState::kWaitlisted)}};
}

Statement CountMoved(const Application& application) {
  return {.sql =
              "UPDATE cohort_places SET"
              " last_rank = CASE WHEN last_rank < $3 THEN $3"
              " ELSE last_rank END,"
              " held = held + CASE $4 WHEN 'HELD' THEN 1 ELSE 0 END"
              " - CASE former WHEN 'HELD' THEN 1 ELSE 0 END,"
              " offered = offered + CASE $4 WHEN 'OFFERED' THEN 1 ELSE 0 END"
              " - CASE former WHEN 'OFFERED' THEN 1 ELSE 0 END,"
              " confirmed = confirmed"
              " + CASE $4 WHEN 'CONFIRMED' THEN 1 ELSE 0 END"
              " - CASE former WHEN 'CONFIRMED' THEN 1 ELSE 0 END,"
              " at_risk = at_risk + CASE $4 WHEN 'AT_RISK' THEN 1 ELSE 0 END"
              " - CASE former WHEN 'AT_RISK' THEN 1 ELSE 0 END,"
              " waitlisted = waitlisted"
              " + CASE $4 WHEN 'WAITLISTED' THEN 1 ELSE 0 END"
              " - CASE former WHEN 'WAITLISTED' THEN 1 ELSE 0 END"
              " FROM (SELECT place_state AS former FROM application"
              " WHERE name = $2) AS application_before"
              " WHERE cohort = $1 AND (former <> $4 OR last_rank < $3)",
          .values = {application.cohort.text(), application.name.text(),
                     application.rank,
                     std::string(NameOf(application.place_state))}};
}

}  // namespace parcours::enrolment
