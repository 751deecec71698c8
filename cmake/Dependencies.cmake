# Finds what Clade needs in the system. Nothing is downloaded: what is missing is named together with
# the package that holds it, all at once.
set(CLADE_MISSING "")
macro(clade_missing what debian)
  string(APPEND CLADE_MISSING "  - ${what}: Debian package ${debian}; on a cluster ask for a module, "
         "or name its place with -DCMAKE_PREFIX_PATH=<dir>\n")
endmacro()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

find_package(ZLIB QUIET)
if(NOT ZLIB_FOUND)
  clade_missing("zlib" "zlib1g-dev")
endif()

find_path(CLADE_JSON_DIR nlohmann/json.hpp)
if(NOT CLADE_JSON_DIR)
  clade_missing("nlohmann-json" "nlohmann-json3-dev")
else()
  add_library(clade_json INTERFACE IMPORTED GLOBAL)
  target_include_directories(clade_json SYSTEM INTERFACE ${CLADE_JSON_DIR})
  add_library(clade::json ALIAS clade_json)
endif()

find_path(CLADE_CLI11_DIR CLI/CLI.hpp)
if(NOT CLADE_CLI11_DIR)
  clade_missing("CLI11" "libcli11-dev")
endif()

find_path(CLADE_STB_DIR stb_image.h PATH_SUFFIXES stb)
if(NOT CLADE_STB_DIR)
  clade_missing("stb_image" "libstb-dev")
else()
  add_library(clade_stb INTERFACE IMPORTED GLOBAL)
  target_include_directories(clade_stb SYSTEM INTERFACE ${CLADE_STB_DIR})
  add_library(clade::stb ALIAS clade_stb)
endif()

include(Cblas)

find_package(benchmark QUIET)  # for `clade bench kernels`; without it the rest is the same

if(CLADE_TESTS)
  find_package(GTest QUIET)
  if(NOT GTest_FOUND)
    clade_missing("GoogleTest (or configure with -DCLADE_TESTS=OFF)" "libgtest-dev")
  endif()
endif()
if(CLADE_MISSING)
  message(FATAL_ERROR "Clade needs what this system does not have:\n${CLADE_MISSING}"
          "On Debian, scripts/setup installs all of it.")
endif()
