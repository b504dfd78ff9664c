#include "common/storage/business_time.h"

#include <utility>

#include "absl/time/clock.h"
#include "common/status/error.h"
#include "common/status/macros.h"

namespace parcours::storage {
namespace {

constexpr absl::Duration kOpenTime = absl::Seconds(10);

class RealClock final : public DatabaseBusinessClock {
 public:
  absl::Time Now() const override { return absl::Now(); }
  bool is_simulated() const override { return false; }
  absl::Status AdvanceTo(absl::Time, absl::Time) override {
    return MakeError(Reason::kNotASimulation);
  }
  absl::Status Refresh(absl::Time) override { return absl::OkStatus(); }
};

class SimulatedClock final : public DatabaseBusinessClock {
 public:
  SimulatedClock(Database& database, absl::Time initial)
      : database_(database), clock_(initial) {}

  absl::Time Now() const override { return clock_.Now(); }
  bool is_simulated() const override { return true; }

  absl::Status AdvanceTo(absl::Time now, absl::Time deadline) override {
    return Apply(
        "UPDATE database_marker SET business_time = $1 "
        "WHERE business_time IS NULL OR business_time < $1",
        {absl::ToUnixMicros(now)}, now, deadline);
  }

  absl::Status Refresh(absl::Time deadline) override {
    absl::Time stored;
    RETURN_IF_ERROR(database_.View(
        ClockCaller(deadline), [&](Transaction& transaction) -> absl::Status {
          ASSIGN_OR_RETURN(stored, Stored(transaction));
          return absl::OkStatus();
        }));
    Follow(stored);
    return absl::OkStatus();
  }

  // The time that the database has, or `initial` if it has none.
  absl::Status Begin(absl::Time initial, absl::Time deadline) {
    return Apply(
        "UPDATE database_marker SET business_time = $1 "
        "WHERE business_time IS NULL",
        {absl::ToUnixMicros(initial)}, absl::InfiniteFuture(), deadline);
  }

 private:
  static access::Caller ClockCaller(absl::Time deadline) {
    access::Caller caller{.scope = access::Scope::Installation()};
    caller.principal.subject = "business-clock";
    caller.deadline = deadline;
    return caller;
  }

  static absl::StatusOr<absl::Time> Stored(Transaction& transaction) {
    ASSIGN_OR_RETURN(
        const Rows rows,
        transaction.Query({"SELECT business_time FROM database_marker", {}}));
    return absl::FromUnixMicros(rows.at(0).Integer(0));
  }

  // Only fails when another thread has already taken over a later time.
  void Follow(absl::Time stored) { clock_.AdvanceTo(stored).IgnoreError(); }

  // Runs `write` and follows what the database has then. Refuses when that is
  // later than `latest`.
  absl::Status Apply(const char* write, Values values, absl::Time latest,
                     absl::Time deadline) {
    absl::Time stored;
    RETURN_IF_ERROR(
        database_
            .Transact(ClockCaller(deadline),
                      [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
                        transaction.Write({write, values});
                        ASSIGN_OR_RETURN(stored, Stored(transaction));
                        return Outcome{};
                      })
            .status());
    Follow(stored);
    if (absl::ToUnixMicros(latest) < absl::ToUnixMicros(stored)) {
      return clock_.AdvanceTo(latest);
    }
    return absl::OkStatus();
  }

  Database& database_;
  SimulatedBusinessClock clock_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<DatabaseBusinessClock>> OpenBusinessClock(
    Database& database, absl::Time initial) {
  if (!database.is_simulation()) return std::make_unique<RealClock>();
  auto clock =
      std::make_unique<SimulatedClock>(database, absl::FromUnixMicros(0));
  RETURN_IF_ERROR(clock->Begin(initial, absl::Now() + kOpenTime));
  return clock;
}

}  // namespace parcours::storage
