// A frame is correlated with the others, found, and put back, without the host's waiting for where it is.

__device__ __forceinline__ int wrapped(int index, int length) {
    return index + length / 2 >= length ? index - length : index;
}

__device__ double peak(const float *line, int stride, int length, int index) {
    float before = line[(long long)((index + length - 1) % length) * stride];
    float here = line[(long long)index * stride];
    float after = line[(long long)((index + 1) % length) * stride];
    double bend = double(before) - 2.0 * here + after;
    double offset = bend < 0 ? 0.5 * (double(before) - after) / bend : 0.0;
    return wrapped(index, length) + min(max(offset, -0.5), 0.5);
}

extern "C" __global__ void correlate(
    const float2 *frame, const float2 *aligned, const float2 *after, const float2 *earlier, const float *weight,
    float far, int size, float2 *total, float2 *product) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    float2 others = make_float2(total[i].x - aligned[i].x, total[i].y - aligned[i].y);
    total[i] = others;
    float real = earlier[i].x + after[i].x + far * others.x, imaginary = earlier[i].y + after[i].y + far * others.y;
    float2 here = frame[i];
    float w = weight[i];
    product[i] = make_float2(
        (here.x * real + here.y * imaginary) * w, (here.y * real - here.x * imaginary) * w);
}

extern "C" __global__ void judge(
    const float *correlation, int height, int width, const float *spread, const float *highest, const double *expected,
    float stride, float *plausible) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= width || y >= height) return;
    long long i = (long long)y * width + x;
    if (correlation[i] < 0.5f * highest[0]) {
        plausible[i] = -3.4e38f;
        return;
    }
    float significance = correlation[i] / fmaxf(spread[0], 1e-30f);
    float away_y = wrapped(y, height) - float(expected[0]), away_x = wrapped(x, width) - float(expected[1]);
    float distance = away_y * away_y + away_x * away_x;
    plausible[i] = 0.5f * significance * significance - 2.0f * log1pf(distance / (2.0f * stride * stride));
}

extern "C" __global__ void settle(
    const float *correlation, int height, int width, const long long *best, double *shift) {
    int y = int(best[0] / width), x = int(best[0] % width);
    if (blockIdx.x || threadIdx.x) return;
    shift[0] = peak(correlation + x, width, height, y);
    shift[1] = peak(correlation + (long long)y * width, 1, width, x);
}

extern "C" __global__ void put_back(
    const float2 *spectrum, int height, int columns, int width, const double *shift, float memory, float2 *aligned,
    float2 *total, float2 *earlier) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= columns || y >= height) return;
    int row = 2 * y < height ? y : y - height;
    double turns = row * shift[0] / height + x * shift[1] / width;
    float c, s;
    sincospif(2.0f * float(turns - rint(turns)), &s, &c);
    long long i = (long long)y * columns + x;
    float2 here = spectrum[i];
    float2 moved = make_float2(here.x * c - here.y * s, here.x * s + here.y * c);
    aligned[i] = moved;
    total[i] = make_float2(total[i].x + moved.x, total[i].y + moved.y);
    earlier[i] = make_float2(memory * earlier[i].x + moved.x, memory * earlier[i].y + moved.y);
}
