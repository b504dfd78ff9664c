#ifndef PARCOURS_SERVICES_ENROLMENT_STORE_MIGRATIONS_H_
#define PARCOURS_SERVICES_ENROLMENT_STORE_MIGRATIONS_H_

#include <vector>

#include "absl/types/span.h"
#include "common/storage/database.h"

namespace parcours::enrolment {

// The tables of enrolment: services/enrolment/migrations.
absl::Span<const storage::Migration> Migrations();

// All migrations of its database: those, and the table of uploads.
std::vector<storage::Migration> AllMigrations();

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_STORE_MIGRATIONS_H_
