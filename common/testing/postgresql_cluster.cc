#include "common/testing/postgresql_cluster.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

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
// the cluster. It learns of the end by that of its standard input.
struct Remover {
  pid_t process = -1;
  int pipe = -1;
} remover;

void RemoveAtExit() {
  close(remover.pipe);
  waitpid(remover.process, nullptr, 0);
}

void StartRemover(const std::string& command) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) Die("pipe");
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
  std::atexit(RemoveAtExit);
}

void Run(const std::string& command, const std::string& log) {
  const std::string quiet = Cat(command, " >>", log, " 2>&1");
  if (std::system(quiet.c_str()) == 0) return;
  std::ifstream output(log);
  Die(Cat(command, " failed:\n",
          std::string(std::istreambuf_iterator<char>(output), {})));
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
  const std::string programs = Cat("cd / && ", AsOwner(), ProgramFolder());
  StartRemover(Cat("cat >/dev/null; (", programs, "/pg_ctl -D ", data,
                   " -m immediate -w stop) >/dev/null 2>&1; rm -rf ", folder));
  if (geteuid() == 0) Run(Cat("chown postgres ", folder), log);
  // Ordering by a language, so that keys that rely on the default are noticed.
  Run(Cat("(", programs, "/initdb -D ", data,
          " -U postgres -A trust -E UTF8 --no-sync --locale=C.UTF-8"
          " --locale-provider=icu --icu-locale=fr)"),
      log);
  Run(Cat("(", programs, "/pg_ctl -D ", data, " -w -l ", data,
          "/server.log -o \"-c listen_addresses='' -c fsync=off"
          " -c full_page_writes=off -c max_connections=200"
          " -c unix_socket_directories=",
          folder, "\" start)"),
      log);
}

std::string PostgresqlCluster::Url(std::string_view database) const {
  return Cat("postgresql:///", database, "?host=", socket_folder_,
             "&user=postgres");
}

}  // namespace parcours::testing
