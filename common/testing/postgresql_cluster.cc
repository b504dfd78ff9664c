#include "common/testing/postgresql_cluster.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/storage/postgresql_session.h"
#include "common/text/view.h"

namespace parcours::testing {
namespace {

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "PostgreSQL for tests: %s\n", what.c_str());
  std::abort();
}

// PostgreSQL refuses to run as root.
std::string AsOwner() {
  return geteuid() == 0 ? "runuser -u postgres -- " : "";
}

std::string ProgramFolder() {
  for (const char* folder :
       {"/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/16/bin",
        "/usr/lib/postgresql/17/bin"}) {
    if (access(folder, X_OK) == 0) return folder;
  }
  Die("is not installed (/usr/lib/postgresql)");
}

// What waits for the end of this process, even by a signal, and then removes
// a cluster. It learns of the end by that of its standard input.
struct Remover {
  pid_t process = -1;
  int pipe = -1;
};

std::vector<Remover>& Removers() {
  static auto* const removers = new std::vector<Remover>();
  return *removers;
}

void RemoveAtExit() {
  for (const Remover& remover : Removers()) close(remover.pipe);
  for (const Remover& remover : Removers()) {
    waitpid(remover.process, nullptr, 0);
  }
}

void StartRemover(const std::string& command) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) Die("pipe");
  Remover remover;
  remover.process = fork();
  if (remover.process < 0) Die("fork");
  if (remover.process == 0) {
    // Not stopped by the terminal's interrupt, which also ends the test.
    setsid();
    dup2(ends[0], 0);
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(127);
  }
  close(ends[0]);
  remover.pipe = ends[1];
  if (Removers().empty()) std::atexit(RemoveAtExit);
  Removers().push_back(remover);
}

void Run(const std::string& command, const std::string& log) {
  const std::string quiet = Cat(command, " >>", log, " 2>&1");
  if (std::system(quiet.c_str()) == 0) return;
  std::ifstream output(log);
  Die(Cat(command, " failed:\n",
          std::string(std::istreambuf_iterator<char>(output), {})));
}

std::string Programs() { return Cat("cd / && ", AsOwner(), ProgramFolder()); }

void InitDatabase(const std::string& data, const std::string& log) {
  // Ordering by a language, so that keys that rely on the default are noticed.
  Run(Cat("(", Programs(), "/initdb -D ", data,
          " -U postgres -A trust -E UTF8 --no-sync --locale=C.UTF-8"
          " --locale-provider=icu --icu-locale=fr)"),
      log);
}

// The process of the server on `data`; 0 when there is none.
pid_t ServerOf(const std::string& data) {
  pid_t process = 0;
  std::ifstream(Cat(data, "/postmaster.pid")) >> process;
  return process;
}

std::vector<pid_t> ChildrenOf(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "stat");
    const std::string stat{std::istreambuf_iterator<char>(file), {}};
    // "pid (name) state parent …", where the name may hold anything.
    const std::size_t end = stat.rfind(')');
    if (end == std::string::npos) continue;
    if (std::atoi(stat.c_str() + std::min(end + 4, stat.size())) == parent) {
      children.push_back(std::atoi(name.c_str()));
    }
  }
  return children;
}

// Polls until `sql` returns a row.
void Await(const std::string& url, const std::string& sql) {
  const absl::Time limit = absl::Now() + absl::Seconds(60);
  while (absl::Now() < limit) {
    auto session = storage::PostgresqlSession::Connect(
        url, "", absl::Now() + absl::Seconds(5));
    const storage::Statement statement{sql, {}};
    if (session.ok()) {
      const auto results = (*session)->Run(absl::MakeConstSpan(&statement, 1),
                                           absl::Now() + absl::Seconds(5));
      if (results.ok() && !(*results)[0].rows.empty()) return;
    }
    absl::SleepFor(absl::Milliseconds(20));
  }
  Die(Cat("waited in vain for ", sql));
}

}  // namespace

const PostgresqlCluster& PostgresqlCluster::Get() {
  static const PostgresqlCluster* const cluster = new PostgresqlCluster();
  return *cluster;
}

PostgresqlCluster::PostgresqlCluster() {
  if (const char* running = std::getenv("PARCOURS_TEST_POSTGRESQL");
      running != nullptr && *running != '\0') {
    socket_folder_ = running;
    return;
  }
  // Not TMPDIR, which may be too long for a socket or closed to others.
  char folder[] = "/tmp/parcours-pg-XXXXXX";
  if (mkdtemp(folder) == nullptr) Die("mkdtemp");
  socket_folder_ = folder;
  const std::string log = Cat(folder, "/log");
  const std::string data = Cat(folder, "/data");
  const std::string programs = Programs();
  StartRemover(Cat("cat >/dev/null; (", programs, "/pg_ctl -D ", data,
                   " -m immediate -w stop) >/dev/null 2>&1; rm -rf ", folder));
  if (geteuid() == 0) Run(Cat("chown postgres ", folder), log);
  InitDatabase(data, log);
  Run(Cat("(", programs, "/pg_ctl -D ", data, " -w -l ", data,
          "/server.log -o \"-c listen_addresses='' -c fsync=off"
          " -c full_page_writes=off -c max_connections=200"
          " -c unix_socket_directories=",
          folder, "\" start)"),
      log);
}

PostgresqlPair::PostgresqlPair() {
  char folder[] = "/tmp/parcours-pg-XXXXXX";
  if (mkdtemp(folder) == nullptr) Die("mkdtemp");
  folder_ = folder;
  const std::string log = Cat(folder_, "/log");
  const std::string primary = Cat(folder_, "/primary");
  const std::string standby = Cat(folder_, "/standby");
  std::string stop = "cat >/dev/null; (";
  for (const std::string& data : {primary, standby}) {
    CatTo(stop, Programs(), "/pg_ctl -D ", data, " -m immediate -w stop; ");
  }
  StartRemover(Cat(stop, "true) >/dev/null 2>&1; rm -rf ", folder_));
  for (const char* sockets : {"/a", "/b"}) {
    Run(Cat("mkdir ", folder_, sockets), log);
  }
  if (geteuid() == 0) Run(Cat("chown -R postgres ", folder_), log);
  const auto start = [&](const std::string& data, std::string_view sockets,
                         std::string_view more) {
    Run(Cat("(", Programs(), "/pg_ctl -D ", data, " -w -l ", data,
            "/server.log -o \"-c listen_addresses='' -c fsync=off"
            " -c full_page_writes=off -c max_connections=100"
            " -c unix_socket_directories=",
            folder_, sockets, more, "\" start)"),
        log);
  };
  InitDatabase(primary, log);
  start(primary, "/a", "");
  Run(Cat("(", Programs(), "/pg_basebackup -h ", folder_, "/a -U postgres -D ",
          standby, " -R -X stream -c fast --no-sync)"),
      log);
  // Who is promoted waits for no standby of its own.
  start(standby, "/b", " -c synchronous_standby_names=''");
  const std::string url =
      Cat("postgresql:///postgres?host=", folder_, "/a&user=postgres");
  Await(url, "SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'");
  auto session = storage::PostgresqlSession::Connect(
      url, "", absl::Now() + absl::Seconds(10));
  if (!session.ok() ||
      !(*session)
           ->RunScript("ALTER SYSTEM SET synchronous_standby_names = '*'")
           .ok() ||
      !(*session)->RunScript("SELECT pg_reload_conf()").ok()) {
    Die("the standby cannot be made synchronous");
  }
  Await(url, "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'");
}

std::string PostgresqlPair::Url(std::string_view database) const {
  return Cat("postgresql:///", database, "?host=", folder_, "/a,", folder_,
             "/b&user=postgres&target_session_attrs=read-write");
}

void PostgresqlPair::KillPrimary() {
  const pid_t server = ServerOf(Cat(folder_, "/primary"));
  if (server <= 0) Die("there is no primary");
  const std::vector<pid_t> children = ChildrenOf(server);
  kill(server, SIGKILL);
  for (const pid_t child : children) kill(child, SIGKILL);
}

void PostgresqlPair::PromoteStandby() {
  Run(Cat("(", Programs(), "/pg_ctl -D ", folder_, "/standby -w promote)"),
      Cat(folder_, "/log"));
  Await(Cat("postgresql:///postgres?host=", folder_, "/b&user=postgres"),
        "SELECT 1 WHERE NOT pg_is_in_recovery()");
}

std::string PostgresqlCluster::Url(std::string_view database) const {
  return Cat("postgresql:///", database, "?host=", socket_folder_,
             "&user=postgres");
}

}  // namespace parcours::testing
