# The libraries as archives, for the self-contained program (POOLWARDEN_STATIC). Debian's packages
# export only their shared objects to CMake, so the archives beside them are named here. Of
# prometheus-cpp Debian has no archive: deploy/build-prometheus-cpp makes it of Debian's source.
set(POOLWARDEN_STATIC_DEPS ${PROJECT_SOURCE_DIR}/build/static-deps CACHE PATH
    "where deploy/build-prometheus-cpp has put libprometheus-cpp-core.a")

set(Boost_USE_STATIC_LIBS ON)

function(poolwarden_archive target file cure)
  find_library(${target}_archive ${file} PATHS ${POOLWARDEN_STATIC_DEPS} NO_CACHE)
  if(NOT ${target}_archive)
    message(FATAL_ERROR "cannot find ${file}: ${cure}")
  endif()
  add_library(${target} STATIC IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${${target}_archive})
endfunction()

poolwarden_archive(yaml-cpp libyaml-cpp.a "install Debian's libyaml-cpp-dev")
poolwarden_archive(prometheus-cpp::core libprometheus-cpp-core.a
                   "run deploy/build-prometheus-cpp build/static-deps, as `make static` does")

# Both can be compiled in from their headers. Their own targets for that would link libfmt.so.
add_library(spdlog_in_headers INTERFACE)
target_compile_definitions(spdlog_in_headers INTERFACE SPDLOG_FMT_EXTERNAL FMT_HEADER_ONLY)
target_link_libraries(spdlog_in_headers INTERFACE Threads::Threads)
set(spdlog spdlog_in_headers)
