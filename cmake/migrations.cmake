# parcours_migrations(TARGET NAMESPACE parcours::x [DIRECTORY migrations])
#
# A static library TARGET with the migrations of the directory, in order of
# their numbers: every file NNNN_name.sql, embedded in a generated source that
# defines
#   absl::Span<const parcours::storage::Migration> NAMESPACE::Migrations();
# The function is declared by hand in a header of the caller, as
# common/storage/platform_migrations.h does.
include_guard(GLOBAL)

function(parcours_migrations target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "NAMESPACE;DIRECTORY" "")
  if(NOT arg_NAMESPACE OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "${target}: NAMESPACE, and optionally DIRECTORY")
  endif()
  if(NOT arg_DIRECTORY)
    set(arg_DIRECTORY migrations)
  endif()
  file(GLOB files CONFIGURE_DEPENDS
       "${CMAKE_CURRENT_SOURCE_DIR}/${arg_DIRECTORY}/*.sql")
  list(SORT files COMPARE NATURAL)
  if(NOT files)
    message(FATAL_ERROR "${target}: no .sql in ${arg_DIRECTORY}")
  endif()

  set(entries "")
  foreach(file IN LISTS files)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
    get_filename_component(stem "${file}" NAME_WE)
    if(NOT stem MATCHES "^0*([1-9][0-9]*)_([a-z0-9_]+)$")
      message(FATAL_ERROR "${file}: the name is not NNNN_name.sql")
    endif()
    set(number "${CMAKE_MATCH_1}")
    set(name "${CMAKE_MATCH_2}")
    file(READ "${file}" sql)
    string(APPEND entries
           "    {${number}, \"${name}\", R\"sql(${sql})sql\"},\n")
  endforeach()

  set(generated "${CMAKE_CURRENT_BINARY_DIR}/${target}.cc")
  # file(CONFIGURE) would expand what looks like a variable in the SQL.
  set(content "#include \"common/storage/database.h\"

namespace ${arg_NAMESPACE} {
namespace {
constexpr ::parcours::storage::Migration kMigrations[] = {
${entries}};
}  // namespace

absl::Span<const ::parcours::storage::Migration> Migrations();
absl::Span<const ::parcours::storage::Migration> Migrations() {
  return kMigrations;
}
}  // namespace ${arg_NAMESPACE}
")
  set(previous "")
  if(EXISTS "${generated}")
    file(READ "${generated}" previous)
  endif()
  if(NOT previous STREQUAL content)
    file(WRITE "${generated}" "${content}")
  endif()
  parcours_library(${target} SOURCES "${generated}"
                   DEPS parcours_access absl::span absl::status absl::statusor
                        absl::function_ref absl::time)
endfunction()
