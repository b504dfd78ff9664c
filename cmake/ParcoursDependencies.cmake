# Libraries of the system, as Debian 12 packages them. Targets to link:
#   gRPC::grpc++ gRPC::grpc++_reflection  protobuf::libprotobuf  absl::*
#   PkgConfig::HIREDIS PkgConfig::LIBPQ PkgConfig::SQLITE PkgConfig::SODIUM
#   PkgConfig::ICU PkgConfig::QPDF PkgConfig::SECCOMP  spdlog::spdlog  nlohmann_json::nlohmann_json
#   cjose::cjose CURL::libcurl OpenSSL::Crypto OpenSSL::SSL
#   prometheus-cpp::core prometheus-cpp::pull  Threads::Threads
#   GTest::gtest GTest::gmock  benchmark::benchmark
# Abseil, gRPC and protobuf come from the same distribution on purpose: a
# second copy of either in one process breaks at run time.

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
# Module mode: Debian's protobuf has no CMake configuration. gRPC's own
# configuration looks for protobuf again and finds this one.
find_package(Protobuf 3.21 MODULE REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(nlohmann_json CONFIG REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(GTest CONFIG REQUIRED)
find_package(benchmark CONFIG REQUIRED)

find_package(PkgConfig REQUIRED)
# Not find_package(Hiredis): the version file of Debian's package is an error.
pkg_check_modules(HIREDIS REQUIRED IMPORTED_TARGET hiredis)
pkg_check_modules(LIBPQ REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(ICU REQUIRED IMPORTED_TARGET icu-uc)
pkg_check_modules(QPDF REQUIRED IMPORTED_TARGET libqpdf)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
# std::shared_ptr everywhere, and none of qpdf's own pointer type.
target_compile_definitions(PkgConfig::QPDF INTERFACE POINTERHOLDER_TRANSITION=4)

find_package(CURL 7.85 REQUIRED)
find_package(OpenSSL 3 REQUIRED COMPONENTS Crypto SSL)
# Not pkg-config: cjose.pc asks for headers of jansson, which cjose's do not use
# and its package does not bring.
find_path(CJOSE_INCLUDE_DIR cjose/cjose.h REQUIRED)
find_library(CJOSE_LIBRARY cjose REQUIRED)
add_library(cjose::cjose INTERFACE IMPORTED)
target_include_directories(cjose::cjose SYSTEM INTERFACE "${CJOSE_INCLUDE_DIR}")
target_link_libraries(cjose::cjose INTERFACE "${CJOSE_LIBRARY}" OpenSSL::Crypto)

find_program(PROTOC_PROGRAM protoc REQUIRED)
find_program(GRPC_CPP_PLUGIN_PROGRAM grpc_cpp_plugin REQUIRED)
