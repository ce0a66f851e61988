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

extern "C" __global__ void fade(const float2 *aligned, int frames, int size, float memory, float2 *after) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    float2 sum = make_float2(0.0f, 0.0f);
    for (int frame = frames - 1; frame >= 0; frame--) {
        after[(long long)frame * size + i] = sum;
        float2 here = aligned[(long long)frame * size + i];
        sum = make_float2(memory * sum.x + here.x, memory * sum.y + here.y);
    }
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

// Its mean is 0, so that the sum of squares tells its spread.
extern "C" __global__ void survey(
    const float *correlation, int pixels, int lanes, float *squares, float *highest) {
    int lane = blockIdx.x * blockDim.x + threadIdx.x;
    if (lane >= lanes) return;
    float sum = 0.0f, most = -3.4e38f;
    for (int i = lane; i < pixels; i += lanes) {
        sum += correlation[i] * correlation[i];
        most = fmaxf(most, correlation[i]);
    }
    squares[lane] = sum;
    highest[lane] = most;
}

extern "C" __global__ void survey_again(float *squares, float *highest, int lanes, int again) {
    int lane = blockIdx.x * blockDim.x + threadIdx.x;
    if (lane >= again) return;
    float sum = 0.0f, most = -3.4e38f;
    for (int i = lane; i < lanes; i += again) {
        sum += squares[i];
        most = fmaxf(most, highest[i]);
    }
    squares[lane] = sum;
    highest[lane] = most;
}

extern "C" __global__ void judge(
    const float *correlation, int height, int width, const float *squares, const float *highest, int again,
    const double *shifts, int frame, int frames, float stride, int lanes, float *plausible, long long *best) {
    int lane = blockIdx.x * blockDim.x + threadIdx.x, pixels = height * width;
    if (lane >= lanes) return;
    float sum = 0.0f, most = -3.4e38f;
    for (int i = 0; i < again; i++) {
        sum += squares[i];
        most = fmaxf(most, highest[i]);
    }
    float spread = fmaxf(sqrtf(sum / pixels), 1e-30f);
    const double *before = shifts + 2 * max(frame - 1, 0), *after = shifts + 2 * min(frame + 1, frames - 1);
    float expected_y = 0.5 * (before[0] + after[0]), expected_x = 0.5 * (before[1] + after[1]);
    float score = -3.4e38f;
    long long where = lane;
    for (int i = lane; i < pixels; i += lanes) {
        float here = correlation[i];
        if (here < 0.5f * most) continue;
        float significance = here / spread;
        float away_y = wrapped(i / width, height) - expected_y, away_x = wrapped(i % width, width) - expected_x;
        float distance = away_y * away_y + away_x * away_x;
        float found = 0.5f * significance * significance - 2.0f * log1pf(distance / (2.0f * stride * stride));
        if (found > score) {
            score = found;
            where = i;
        }
    }
    plausible[lane] = score;
    best[lane] = where;
}

extern "C" __global__ void judge_again(float *plausible, long long *best, int lanes, int again) {
    int lane = blockIdx.x * blockDim.x + threadIdx.x;
    if (lane >= again) return;
    int chosen = lane;
    for (int i = lane; i < lanes; i += again)
        if (plausible[i] > plausible[chosen]) chosen = i;
    plausible[lane] = plausible[chosen];
    best[lane] = best[chosen];
}

extern "C" __global__ void settle(
    const float *correlation, int height, int width, const float *plausible, const long long *best, int again,
    int frame, double *shifts) {
    if (blockIdx.x || threadIdx.x) return;
    int chosen = 0;
    for (int i = 1; i < again; i++)
        if (plausible[i] > plausible[chosen]) chosen = i;
    int y = int(best[chosen] / width), x = int(best[chosen] % width);
    shifts[2 * frame] = peak(correlation + x, width, height, y);
    shifts[2 * frame + 1] = peak(correlation + (long long)y * width, 1, width, x);
}

extern "C" __global__ void put_back(
    const float2 *spectrum, int height, int columns, int width, const double *shifts, int frame, float memory,
    float2 *aligned, float2 *total, float2 *earlier) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= columns || y >= height) return;
    int row = 2 * y < height ? y : y - height;
    double turns = row * shifts[2 * frame] / height + x * shifts[2 * frame + 1] / width;
    float c, s;
    sincospif(2.0f * float(turns - rint(turns)), &s, &c);
    long long i = (long long)y * columns + x;
    float2 here = spectrum[i];
    float2 moved = make_float2(here.x * c - here.y * s, here.x * s + here.y * c);
    aligned[i] = moved;
    total[i] = make_float2(total[i].x + moved.x, total[i].y + moved.y);
    earlier[i] = make_float2(memory * earlier[i].x + moved.x, memory * earlier[i].y + moved.y);
}
