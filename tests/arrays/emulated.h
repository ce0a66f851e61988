// What CUDA's kernels need to be compiled as C++ and run one thread after the other.
#include <cmath>
#include <cstdint>
#include <algorithm>

#define __global__
#define __device__
#define __forceinline__ inline

struct Place { unsigned x, y, z; };
struct float2 { float x, y; };

static Place threadIdx, blockIdx, blockDim, gridDim;

static inline float2 make_float2(float x, float y) { return {x, y}; }
static inline void sincospif(float x, float *sine, float *cosine) {
    *sine = std::sin(float(M_PI) * x);
    *cosine = std::cos(float(M_PI) * x);
}
using std::max;
using std::min;

#define RUN(...)                                                            \
    for (blockIdx.z = 0; blockIdx.z < gridDim.z; blockIdx.z++)              \
    for (blockIdx.y = 0; blockIdx.y < gridDim.y; blockIdx.y++)              \
    for (blockIdx.x = 0; blockIdx.x < gridDim.x; blockIdx.x++)              \
    for (threadIdx.z = 0; threadIdx.z < blockDim.z; threadIdx.z++)          \
    for (threadIdx.y = 0; threadIdx.y < blockDim.y; threadIdx.y++)          \
    for (threadIdx.x = 0; threadIdx.x < blockDim.x; threadIdx.x++)          \
        __VA_ARGS__
