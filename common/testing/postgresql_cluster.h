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

// A primary and its standby, which has every commit before it is acknowledged.
// Both are throw-away and reachable only through sockets. Aborts the process on
// failure. Starting them takes seconds.
class PostgresqlPair {
 public:
  PostgresqlPair();
  // Both end with this process, however it ends.
  PostgresqlPair(const PostgresqlPair&) = delete;
  PostgresqlPair& operator=(const PostgresqlPair&) = delete;

  // A URL that names both for `database`, as the superuser, and wants the one
  // that takes writes.
  std::string Url(std::string_view database) const;

  // SIGKILL to the primary and all its processes.
  void KillPrimary();
  // Makes the standby the primary; returns once it takes writes.
  void PromoteStandby();

 private:
  std::string folder_;
};

}  // namespace parcours::testing

#endif  // PARCOURS_COMMON_TESTING_POSTGRESQL_CLUSTER_H_
