// CLADE_HD marks functions that are compiled for the CPU and, by nvcc, for the GPU too.
#pragma once

#if defined(__CUDACC__)
#define CLADE_HD __host__ __device__
#else
#define CLADE_HD
#endif
