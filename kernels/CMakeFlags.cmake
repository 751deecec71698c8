# Instruction sets of the sources that are compiled once for each and chosen at run time. Here alone
# a * b + c may be fused: it doubles the speed of convolution, and these files hold nothing else.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64" AND NOT CLADE_PORTABLE)
  set(clade_avx512 -mavx512f -mavx2 -mfma -mprefer-vector-width=512)
  set(clade_avx2 -mavx2 -mfma)
endif()
foreach(set avx512 avx2 baseline)
  set_source_files_properties(${CMAKE_CURRENT_SOURCE_DIR}/kernels/conv/conv_direct_${set}.cpp
    PROPERTIES COMPILE_OPTIONS "-O3;-ffp-contract=fast;${clade_${set}}")
  set_source_files_properties(${CMAKE_CURRENT_SOURCE_DIR}/kernels/gemm/gemm_packed_${set}.cpp
    PROPERTIES COMPILE_OPTIONS "-O3;-ffp-contract=fast;${clade_${set}}")
  set_source_files_properties(${CMAKE_CURRENT_SOURCE_DIR}/kernels/ceiling/ceiling_${set}.cpp
    PROPERTIES COMPILE_OPTIONS "-O3;-ffp-contract=fast;${clade_${set}}")
endforeach()
