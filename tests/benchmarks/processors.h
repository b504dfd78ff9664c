#ifndef PARCOURS_TESTS_BENCHMARKS_PROCESSORS_H_
#define PARCOURS_TESTS_BENCHMARKS_PROCESSORS_H_

#include <sys/types.h>

namespace parcours::benchmarks {

// The process that has started `process`; 0 when that is gone.
pid_t ParentOf(pid_t process);

// As on a machine of its own: while this stands, `root` and the processes below
// it run on the first processor, and this program with those that it has
// started on the others. Afterwards each may run on any again. Does nothing on
// a machine with one processor.
class Apart {
 public:
  explicit Apart(pid_t root);
  ~Apart();
  Apart(const Apart&) = delete;
  Apart& operator=(const Apart&) = delete;

 private:
  const pid_t root_;
};

}  // namespace parcours::benchmarks

#endif  // PARCOURS_TESTS_BENCHMARKS_PROCESSORS_H_
