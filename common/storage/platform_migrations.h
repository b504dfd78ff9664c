#ifndef PARCOURS_COMMON_STORAGE_PLATFORM_MIGRATIONS_H_
#define PARCOURS_COMMON_STORAGE_PLATFORM_MIGRATIONS_H_

#include "absl/types/span.h"
#include "common/storage/database.h"

namespace parcours::storage::platform {

// The tables that every service's database has: common/storage/migrations.
absl::Span<const Migration> Migrations();

}  // namespace parcours::storage::platform

#endif  // PARCOURS_COMMON_STORAGE_PLATFORM_MIGRATIONS_H_
