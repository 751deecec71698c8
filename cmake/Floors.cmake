# clade_floor(name PUBLIC ... PRIVATE ... HEADERS ...): one library clade_<name>, alias clade::<name>,
# from the sources below <name>/. HEADERS: header-only libraries, which nobody links. Its .cu files
# are compiled by nvcc where the build has it (Cuda.cmake), else as C++ on top of tensor/cuda_on_cpu/,
# which runs them as a GPU would: the device cuda-on-cpu.
function(clade_floor name)
  cmake_parse_arguments(ARG "" "" "PUBLIC;PRIVATE;HEADERS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  # The race checker is for tests/cuda alone, where it takes the place of a sanitizer's library.
  list(FILTER sources EXCLUDE REGEX "/cuda_on_cpu/race_check")
  file(GLOB_RECURSE device_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cu)
  if(CLADE_HAS_CUDA)
    list(FILTER sources EXCLUDE REGEX "/cuda_on_cpu/")
  else()
    set_source_files_properties(${device_sources} PROPERTIES LANGUAGE CXX)
  endif()
  add_library(clade_${name} STATIC ${sources} ${device_sources})
  add_library(clade::${name} ALIAS clade_${name})
  set_target_properties(clade_${name} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON)
  target_include_directories(clade_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/clade>)
  target_compile_features(clade_${name} PUBLIC cxx_std_20)
  target_link_libraries(clade_${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  foreach(dependency ${ARG_HEADERS} clade::options)
    target_link_libraries(clade_${name} PRIVATE $<BUILD_INTERFACE:${dependency}>)
  endforeach()
  set_property(GLOBAL APPEND PROPERTY CLADE_FLOORS clade_${name})
endfunction()

# Compiler settings of every target of the project; not passed on to users.
add_library(clade_options INTERFACE)
add_library(clade::options ALIAS clade_options)
set(cxx_options -Wall -Wextra -Wno-unknown-pragmas
  # a * b + c is never fused behind our back: bits must not depend on the instruction set
  -ffp-contract=off
  # no function here reports through errno; with it, GCC calls the library for sqrt and vectorises no loop of it
  -fno-math-errno
  # kernels say #pragma unroll for the GPU; Clang warns where it does not follow on the CPU
  $<$<CXX_COMPILER_ID:Clang>:-Wno-pass-failed>
  $<$<BOOL:${CLADE_WERROR}>:-Werror>)
# As on the CPU, a * b + c is fused only where a kernel says so (fma): elementwise kernels and noise
# then have the CPU's bits. Constexpr functions of the host (std::numeric_limits) serve the device.
set(cuda_options -fmad=false --expt-relaxed-constexpr -Xcompiler=-Wall,-Wextra,-Wno-unknown-pragmas
  $<$<BOOL:${CLADE_WERROR}>:-Werror=all-warnings>)
target_compile_options(clade_options INTERFACE
  "$<$<COMPILE_LANGUAGE:CXX>:${cxx_options}>" "$<$<COMPILE_LANGUAGE:CUDA>:${cuda_options}>")
if(CLADE_PORTABLE)
  target_compile_definitions(clade_options INTERFACE CLADE_PORTABLE)
endif()
if(CLADE_FUZZ)  # the fuzzers steer by what the code under test has reached
  target_compile_options(clade_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(CLADE_SANITIZE)
  target_compile_options(clade_options INTERFACE
    -fsanitize=${CLADE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(clade_options INTERFACE -fsanitize=${CLADE_SANITIZE})
endif()
