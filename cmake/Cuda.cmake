# -DCLADE_CUDA=AUTO|ON|OFF: whether the kernels for NVIDIA GPUs are built. AUTO takes them where nvcc
# is. Without it all else builds, and the tests still run these kernels, on the CPU (tests/cuda).
# OFF unless asked for, as long as a linked program of nvcc's has not passed the suite.
set(CLADE_CUDA OFF CACHE STRING "Build for NVIDIA GPUs: AUTO (where nvcc is), ON or OFF")
set_property(CACHE CLADE_CUDA PROPERTY STRINGS AUTO ON OFF)
if(NOT CLADE_CUDA MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "CLADE_CUDA: expected AUTO, ON or OFF; got ${CLADE_CUDA}")
endif()

set(CLADE_HAS_CUDA OFF)
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
  endif()
endif()
if(NOT CLADE_HAS_CUDA)
  return()
endif()

# ON: machine code for A100, H100 and RTX 50, and PTX, from which the driver makes code for what lies
# between them and after them. AUTO, where nobody has asked for a GPU: A100's alone and its PTX, which
# every later GPU takes too, in a third of the time.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES AND CLADE_CUDA STREQUAL AUTO)
  set(CMAKE_CUDA_ARCHITECTURES 80)
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
