# Instruction sets of the sources that are compiled once for each and chosen at run time. As
# everywhere on this floor a * b + c is two roundings, so that the set does not change the bits.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(clade_avx512 -mavx512f -mavx512dq -mavx512vl -mavx2 -mprefer-vector-width=512)
  set(clade_avx2 -mavx2)
endif()
foreach(set avx512 avx2 baseline)
  set_source_files_properties(${CMAKE_CURRENT_SOURCE_DIR}/clustering/manifold/umap_moves_${set}.cpp
    PROPERTIES COMPILE_OPTIONS "-O3;-Wno-psabi;${clade_${set}}")
endforeach()
