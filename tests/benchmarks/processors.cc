#include "tests/benchmarks/processors.h"

#include <sched.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "common/text/view.h"

namespace parcours::benchmarks {
namespace {

std::vector<pid_t> IdsIn(const std::string& folder) {
  std::vector<pid_t> ids;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator(folder, gone)) {
    pid_t id = 0;
    if (absl::SimpleAtoi(entry.path().filename().string(), &id)) {
      ids.push_back(id);
    }
  }
  return ids;
}

// `root` and those below it.
std::vector<pid_t> TreeOf(pid_t root) {
  std::multimap<pid_t, pid_t> children;
  for (const pid_t process : IdsIn("/proc")) {
    children.emplace(ParentOf(process), process);
  }
  std::vector<pid_t> tree = {root};
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const auto [first, last] = children.equal_range(tree[i]);
    for (auto child = first; child != last; ++child) {
      tree.push_back(child->second);
    }
  }
  return tree;
}

// The processors from `first` up to, and without, `end`.
void RunOn(pid_t root, int first, int end) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int i = first; i < end; ++i) CPU_SET(static_cast<std::size_t>(i), &set);
  for (const pid_t process : TreeOf(root)) {
    for (const pid_t thread : IdsIn(Cat("/proc/", process, "/task"))) {
      // One that has ended meanwhile needs none.
      sched_setaffinity(thread, sizeof(set), &set);
    }
  }
}

int Processors() { return static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)); }

}  // namespace

pid_t ParentOf(pid_t process) {
  std::ifstream file(Cat("/proc/", process, "/status"));
  for (std::string key; file >> key;) {
    if (key != "PPid:") continue;
    pid_t parent = 0;
    file >> parent;
    return parent;
  }
  return 0;
}

Apart::Apart(pid_t root) : root_(root) {
  if (Processors() < 2) return;
  RunOn(root_, 0, 1);
  RunOn(getpid(), 1, Processors());
}

Apart::~Apart() {
  RunOn(root_, 0, Processors());
  RunOn(getpid(), 0, Processors());
}

}  // namespace parcours::benchmarks
