#ifndef PARCOURS_COMMON_DOCUMENTS_CONFINEMENT_H_
#define PARCOURS_COMMON_DOCUMENTS_CONFINEMENT_H_

#include <cstdint>

namespace parcours::documents {

struct ConfinementLimits {
  // Address space, in bytes. Not under a sanitizer, which reserves terabytes.
  int64_t memory_bytes = 0;
  // Processor time, in whole seconds.
  int64_t cpu_seconds = 0;
};

enum class Confinement {
  // Something could not be limited: do not go on.
  kFailed,
  // All but system calls: this kernel filters none.
  kWithoutFilter,
  kComplete,
};

// For the rest of its life, this process of one thread has that much memory and
// processor time, yields to others, dies with its parent, writes no file and no
// core, and gains no privilege; nobody may look into it. Of system calls it has
// only what a parser of bytes in memory needs, and to read and write what is
// open already: opening a file is refused (EACCES), and a socket, a child, a
// program or anything else kills the process with SIGSYS.
Confinement ConfineThisProcess(const ConfinementLimits& limits);

}  // namespace parcours::documents

#endif  // PARCOURS_COMMON_DOCUMENTS_CONFINEMENT_H_
