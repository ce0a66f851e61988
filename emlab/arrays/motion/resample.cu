// Whole shifts, sums of 2 × 2 px, and the two passes of `warp`. Blocks of 8 × 16 px share a displacement; the last is moved left to be whole.

constexpr int TAPS = 12;

__device__ __forceinline__ int mirrored(int index, int length) {
    int folded = index % (2 * length);
    folded += folded < 0 ? 2 * length : 0;
    return folded < length ? folded : 2 * length - 1 - folded;
}

__device__ __forceinline__ int block_of(int x, int width, int blocks) {
    return x >= width - 16 ? blocks - 1 : x / 16;
}

extern "C" __global__ void copy(
    const float *frame, int frame_height, int frame_width, int shift_y, int shift_x, float *out, int height, int width) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= width || y >= height) return;
    out[(long long)y * width + x] =
        frame[(long long)mirrored(y + shift_y, frame_height) * frame_width + mirrored(x + shift_x, frame_width)];
}

extern "C" __global__ void halve(const float *image, int stride, float *out, int height, int width) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= width || y >= height) return;
    const float *above = image + 2LL * y * stride + 2 * x, *below = above + stride;
    out[(long long)y * width + x] = above[0] + above[1] + below[0] + below[1];
}

extern "C" __global__ void along_x(
    const float *frame, int frame_height, int frame_width, int shift_y, int shift_x, const float *local_x, int bands,
    int blocks, const float *table, int steps, int margin, float *out, int height, int stride, int width) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= width || y >= height) return;
    int band = min(max((y - margin) / 8, 0), bands - 1);
    float moved = local_x[band * blocks + block_of(x, width, blocks)], whole = floorf(moved);
    const float *taps = table + TAPS * int((moved - whole) * steps + 0.5f);
    const float *row = frame + (long long)mirrored(y - margin + shift_y, frame_height) * frame_width;
    int first = x + shift_x + int(whole) - (TAPS / 2 - 1);
    float sum = 0.0f;
    if (first >= 0 && first + TAPS <= frame_width) {
        for (int tap = 0; tap < TAPS; tap++) sum += taps[tap] * row[first + tap];
    } else {
        for (int tap = 0; tap < TAPS; tap++) sum += taps[tap] * row[mirrored(first + tap, frame_width)];
    }
    out[(long long)y * stride + x] = sum;
}

extern "C" __global__ void along_y(
    const float *rows, int stride, int margin, const float *local_y, int blocks, const float *table, int steps,
    int coarse, float *out, int height, int width) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= width || y >= height) return;
    float moved = local_y[y / 8 * blocks + block_of(x, width, blocks)], whole = floorf(moved);
    const float *taps = table + TAPS * int((moved - whole) * steps + 0.5f);
    const float *column = rows + (long long)(y + margin + int(whole) - (TAPS / 2 - 1)) * stride + x;
    int outermost = coarse ? TAPS / 2 - 2 : 0;
    float sum = 0.0f;
    for (int tap = outermost; tap < TAPS - outermost; tap++) sum += taps[tap] * column[(long long)tap * stride];
    out[(long long)y * width + x] = sum;
}
