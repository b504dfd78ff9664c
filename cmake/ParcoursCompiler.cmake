# The language, the sanitizers and the compiler cache: what holds for every
# target, generated code included. Warnings are per target (ParcoursTargets).

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

set(PARCOURS_SANITIZE "" CACHE STRING
    "Sanitizers of this build: empty, address (with undefined), thread or fuzz")
set_property(CACHE PARCOURS_SANITIZE PROPERTY STRINGS "" address thread fuzz)

# What a test needs in its environment under this build's sanitizer.
set(PARCOURS_TEST_ENVIRONMENT "")

if(PARCOURS_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
  list(APPEND PARCOURS_TEST_ENVIRONMENT
       "ASAN_OPTIONS=strict_string_checks=1:detect_stack_use_after_return=1"
       "UBSAN_OPTIONS=print_stacktrace=1"
       "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/leaks.txt:print_suppressions=0")
elseif(PARCOURS_SANITIZE STREQUAL "thread")
  # Debian's gRPC and Abseil are not instrumented: without the option, their
  # internal synchronisation is reported as hundreds of races.
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
  list(APPEND PARCOURS_TEST_ENVIRONMENT
       "TSAN_OPTIONS=ignore_noninstrumented_modules=1:halt_on_error=1:second_deadlock_stack=1")
elseif(PARCOURS_SANITIZE STREQUAL "fuzz")
  # Of clang: see tests/fuzz.
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined
                      -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(NOT PARCOURS_SANITIZE STREQUAL "")
  message(FATAL_ERROR "PARCOURS_SANITIZE is '${PARCOURS_SANITIZE}': "
                      "expected empty, address, thread or fuzz")
endif()

# Source paths in logs and debug information do not depend on where the tree is.
# The second form is the one ccache rewrites the paths to.
file(RELATIVE_PATH source_from_build "${CMAKE_BINARY_DIR}" "${CMAKE_SOURCE_DIR}")
add_compile_options("-ffile-prefix-map=${CMAKE_SOURCE_DIR}/="
                    "-ffile-prefix-map=${source_from_build}/=")

# Several times as fast as the default linker on a hundred test programs.
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The sloppiness is what ccache asks for to cache precompiled headers; the
  # base directory lets two clones share results.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros
      "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}" CCACHE_NOHASHDIR=1
      "${CCACHE_PROGRAM}")
endif()
