#ifndef PARCOURS_SERVICES_EVALUATION_STORE_MIGRATIONS_H_
#define PARCOURS_SERVICES_EVALUATION_STORE_MIGRATIONS_H_

#include "absl/types/span.h"
#include "common/storage/database.h"

namespace parcours::evaluation {

// The tables of evaluation: services/evaluation/migrations.
absl::Span<const storage::Migration> Migrations();

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_STORE_MIGRATIONS_H_
