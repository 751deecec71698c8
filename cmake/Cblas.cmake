# clade::cblas: OpenBLAS by name, else any CBLAS. Prints which variant it took. Clade calls BLAS with
# one thread a call and brings its own threads, so the pthread, openmp and serial variants of OpenBLAS
# all do; another one must be single-threaded by itself.
find_path(CLADE_CBLAS_INCLUDE cblas.h
          PATH_SUFFIXES openblas x86_64-linux-gnu openblas-pthread openblas-openmp)
find_library(CLADE_OPENBLAS_LIBRARY NAMES openblas)
find_library(CLADE_CBLAS_LIBRARY NAMES cblas blas)

if(CLADE_OPENBLAS_LIBRARY AND CLADE_CBLAS_INCLUDE)
  get_filename_component(variant ${CLADE_OPENBLAS_LIBRARY} REALPATH)
  message(STATUS "BLAS: OpenBLAS, ${variant}")
  set(CLADE_CBLAS_FOUND ${CLADE_OPENBLAS_LIBRARY})
  add_library(clade::cblas INTERFACE IMPORTED GLOBAL)
  target_compile_definitions(clade::cblas INTERFACE CLADE_OPENBLAS=1)
elseif(CLADE_CBLAS_LIBRARY AND CLADE_CBLAS_INCLUDE)
  message(STATUS "BLAS: ${CLADE_CBLAS_LIBRARY} (OpenBLAS not found; expect less speed)")
  message(WARNING "Clade cannot tell this BLAS to use one thread. The promise of the same bits at any "
          "number of threads needs one: take a serial variant, or set its own variable "
          "(MKL_NUM_THREADS=1, BLIS_NUM_THREADS=1) when you run.")
  set(CLADE_CBLAS_FOUND ${CLADE_CBLAS_LIBRARY})
  add_library(clade::cblas INTERFACE IMPORTED GLOBAL)
else()
  clade_missing("OpenBLAS (or another CBLAS with cblas.h)" "libopenblas-dev")
endif()
if(TARGET clade::cblas)
  target_link_libraries(clade::cblas INTERFACE ${CLADE_CBLAS_FOUND})
  target_include_directories(clade::cblas SYSTEM INTERFACE ${CLADE_CBLAS_INCLUDE})
endif()
