# -DCLADE_CUDA=AUTO|ON|OFF: whether the .cu files are compiled for NVIDIA GPUs. AUTO: where nvcc and a
# GPU are, and for that GPU. ON: for GPUs elsewhere too, as on a login node. Else they are compiled as
# C++, and the CPU runs them as a GPU would (docs/cuda_on_cpu.md): so the whole suite tests them on a
# machine that could only have compiled them.
set(CLADE_CUDA AUTO CACHE STRING "Build for NVIDIA GPUs: AUTO (where nvcc and a GPU are), ON or OFF")
set_property(CACHE CLADE_CUDA PROPERTY STRINGS AUTO ON OFF)
if(NOT CLADE_CUDA MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "CLADE_CUDA: expected AUTO, ON or OFF; got ${CLADE_CUDA}")
endif()

set(CLADE_HAS_CUDA OFF)
set(capability "")  # of the GPUs here, as 90 or 80;90
if(CLADE_CUDA STREQUAL AUTO)
  execute_process(COMMAND nvidia-smi --query-gpu=compute_cap --format=csv,noheader
                  OUTPUT_VARIABLE capability RESULT_VARIABLE status ERROR_QUIET)
  string(REGEX MATCHALL "[0-9]+\\.[0-9]+" capability "${capability}")
  string(REPLACE "." "" capability "${capability}")
  list(REMOVE_DUPLICATES capability)
  list(FILTER capability INCLUDE REGEX "^([89][0-9]|1[0-9][0-9])$")  # A100 or later
  if(status OR NOT capability)
    message(STATUS "CUDA: no GPU of compute capability 8.0 or later here, so the CPU plays one; "
            "-DCLADE_CUDA=ON builds for GPUs elsewhere")
    return()
  endif()
endif()
if(NOT CLADE_CUDA STREQUAL OFF AND NOT CLADE_SANITIZE)
  include(CheckLanguage)
  if(NOT CMAKE_CUDA_COMPILER AND EXISTS /usr/local/cuda/bin/nvcc)
    set(CMAKE_CUDA_COMPILER /usr/local/cuda/bin/nvcc)  # where its installer puts it, beside PATH
  endif()
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    set(CLADE_HAS_CUDA ON)
  elseif(CLADE_CUDA STREQUAL ON)
    message(FATAL_ERROR "CLADE_CUDA=ON needs nvcc (CUDA 12 or later): put it into PATH (on a cluster: "
            "module load cuda), or name it with -DCMAKE_CUDA_COMPILER=<path of nvcc>")
  else()
    message(STATUS "CUDA: a GPU, but no nvcc, so the CPU plays one; install CUDA 12 or later to use it")
  endif()
endif()
if(NOT CLADE_HAS_CUDA)
  return()
endif()

# ON: machine code for A100, H100 and RTX 50, and PTX, from which the driver makes code for what lies
# between them and after them.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES AND capability)
  set(CMAKE_CUDA_ARCHITECTURES ${capability})
elseif(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80 90)
  execute_process(COMMAND ${CMAKE_CUDA_COMPILER} --list-gpu-arch OUTPUT_VARIABLE known)
  if(known MATCHES compute_120)
    list(APPEND CMAKE_CUDA_ARCHITECTURES 120)
  endif()
endif()
enable_language(CUDA)
if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12)
  message(FATAL_ERROR "Clade needs CUDA 12 or later; ${CMAKE_CUDA_COMPILER} is "
          "${CMAKE_CUDA_COMPILER_VERSION} (or configure with -DCLADE_CUDA=OFF)")
endif()
find_package(CUDAToolkit REQUIRED)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake before 3.26 does not know that nvcc 12 does
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
endif()
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
message(STATUS "CUDA: nvcc ${CMAKE_CUDA_COMPILER_VERSION}, architectures ${CMAKE_CUDA_ARCHITECTURES}")
