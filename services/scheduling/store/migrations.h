#ifndef PARCOURS_SERVICES_SCHEDULING_STORE_MIGRATIONS_H_
#define PARCOURS_SERVICES_SCHEDULING_STORE_MIGRATIONS_H_

#include "absl/types/span.h"
#include "common/storage/database.h"

namespace parcours::scheduling {

// The tables of scheduling: services/scheduling/migrations.
absl::Span<const storage::Migration> Migrations();

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_STORE_MIGRATIONS_H_
