#ifndef PARCOURS_COMMON_TESTING_POSTGRESQL_CLUSTER_H_
#define PARCOURS_COMMON_TESTING_POSTGRESQL_CLUSTER_H_

#include <string>
#include <string_view>

namespace parcours::testing {

// The PostgreSQL of this test process: throw-away, without fsync, reachable
// only through a socket in a temporary folder. Starting it takes seconds.
class PostgresqlCluster {
 public:
  // Starts it when first called; aborts the process on failure. Thread-safe.
  static const PostgresqlCluster& Get();

  // A URL for `database` as the superuser.
  std::string Url(std::string_view database) const;

 private:
  PostgresqlCluster();

  std::string socket_folder_;
};

}  // namespace parcours::testing

#endif  // PARCOURS_COMMON_TESTING_POSTGRESQL_CLUSTER_H_
