# How targets of this project are declared. A target sees only the targets it
# declares: the layers of the design are these lists.
#
#   parcours_library(NAME SOURCES a.cc a.h ... DEPS ... [PRIVATE_DEPS ...])
#   parcours_executable(NAME SOURCES ... DEPS ... [OUTPUT_NAME name])
#   parcours_test(NAME SOURCES ... DEPS ... [LABELS unit|integration|fault|load|tsan ...]
#                 [TIMEOUT seconds] [ENVIRONMENT NAME=value ...])
#   parcours_benchmark(NAME SOURCES ... DEPS ...)
#
# A library is static; one of headers only becomes an INTERFACE library. Files
# are included by their path from the root of the tree, generated ones by the
# path of their proto. A test is one executable with GoogleTest's main and one
# entry of ctest; the label tsan also puts it in the thread sanitizer's run.
# The target parcours_tests builds the tests that ctest will run, and no more.

# A designated initializer names what differs from the defaults on purpose.
set(PARCOURS_WARNINGS -Wall -Wextra -Wconversion -Wsign-conversion
    -Wno-missing-field-initializers -Werror)

# Another compiler's warnings are not looked at.
if(PARCOURS_SANITIZE STREQUAL "fuzz")
  set(PARCOURS_WARNINGS -w)
endif()

add_custom_target(parcours_tests)

function(_parcours_configure target)
  target_compile_options(${target} PRIVATE ${PARCOURS_WARNINGS})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}")
endfunction()

# The code of tests themselves: under the address sanitizer, optimising it takes
# longer than what that saves, and what is undefined is looked for in what they
# test.
function(_parcours_compile_fast target)
  if(PARCOURS_SANITIZE STREQUAL "address")
    target_compile_options(${target} PRIVATE -O0 -fno-sanitize=undefined)
  endif()
endfunction()

function(parcours_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS;PRIVATE_DEPS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "${name}: unexpected ${arg_UNPARSED_ARGUMENTS}")
  endif()
  set(compiled ${arg_SOURCES})
  list(FILTER compiled INCLUDE REGEX "\\.cc$")
  if(compiled)
    add_library(${name} STATIC ${arg_SOURCES})
    _parcours_configure(${name})
    if("${CMAKE_CURRENT_SOURCE_DIR}/${arg_SOURCES}" MATCHES "/testing/")
      _parcours_compile_fast(${name})
    endif()
    target_include_directories(${name} PUBLIC "${PROJECT_SOURCE_DIR}")
    target_link_libraries(${name} PUBLIC ${arg_DEPS} PRIVATE ${arg_PRIVATE_DEPS})
  else()
    add_library(${name} INTERFACE ${arg_SOURCES})
    target_include_directories(${name} INTERFACE "${PROJECT_SOURCE_DIR}")
    target_link_libraries(${name} INTERFACE ${arg_DEPS} ${arg_PRIVATE_DEPS})
  endif()
endfunction()

function(parcours_executable name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "OUTPUT_NAME" "SOURCES;DEPS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "${name}: unexpected ${arg_UNPARSED_ARGUMENTS}")
  endif()
  add_executable(${name} ${arg_SOURCES})
  _parcours_configure(${name})
  target_link_libraries(${name} PRIVATE ${arg_DEPS})
  if(arg_OUTPUT_NAME)
    set_target_properties(${name} PROPERTIES OUTPUT_NAME "${arg_OUTPUT_NAME}")
  endif()
endfunction()

# A measurement, run by `make bench`; with a main of its own or benchmark's.
function(parcours_benchmark name)
  parcours_executable(${name} ${ARGN})
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/benchmarks")
  if(NOT TARGET benchmarks)
    add_custom_target(benchmarks)
  endif()
  add_dependencies(benchmarks ${name})
endfunction()

function(parcours_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;DEPS;LABELS;ENVIRONMENT")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "${name}: unexpected ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT BUILD_TESTING)
    return()
  endif()
  if(NOT arg_LABELS)
    set(arg_LABELS unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
    foreach(label IN ITEMS integration fault load)
      if(label IN_LIST arg_LABELS)
        set(arg_TIMEOUT 600)
      endif()
    endforeach()
  endif()

  add_executable(${name} ${arg_SOURCES})
  _parcours_configure(${name})
  _parcours_compile_fast(${name})
  target_link_libraries(${name} PRIVATE ${arg_DEPS} GTest::gtest GTest::gmock_main)
  # Under the thread sanitizer only the tests labelled for it are built.
  if(PARCOURS_SANITIZE STREQUAL "thread" AND NOT "tsan" IN_LIST arg_LABELS)
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
    return()
  endif()
  add_dependencies(parcours_tests ${name})
  add_test(NAME ${name}
           COMMAND ${name} "--gtest_output=xml:${CMAKE_BINARY_DIR}/test-results/${name}.xml"
           WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  # A skipped test proves nothing: it fails.
  set_tests_properties(${name} PROPERTIES
    LABELS "${arg_LABELS}"
    TIMEOUT ${arg_TIMEOUT}
    ENVIRONMENT "${PARCOURS_TEST_ENVIRONMENT};${arg_ENVIRONMENT}"
    FAIL_REGULAR_EXPRESSION "\\[  SKIPPED \\];Running 0 tests")
  if("fault" IN_LIST arg_LABELS OR "load" IN_LIST arg_LABELS)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
  endif()
endfunction()
