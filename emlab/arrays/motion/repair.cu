// Bad pixels found and what replaces them, each by a thread of its own.

__device__ float median(float *values, int count) {
    for (int i = 1; i < count; i++) {
        float value = values[i];
        int j = i;
        for (; j > 0 && values[j - 1] > value; j--) values[j] = values[j - 1];
        values[j] = value;
    }
    return count % 2 ? values[count / 2] : 0.5f * (values[count / 2 - 1] + values[count / 2]);
}

extern "C" __global__ void mark_outliers(
    const float *root, int height, int width, float limit, const bool *known, bool *bad) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= width || y >= height) return;
    long long here = (long long)y * width + x;
    if (known[here]) return;
    // Four others rule out most pixels, which need no median.
    if (x >= 2 && x < width - 2) {
        const float *upper = root + (long long)(y >= 2 ? y - 2 : 2) * width + x;
        const float *lower = root + (long long)(y + 2 < height ? y + 2 : height - 3) * width + x;
        if (fabsf(root[here] - 0.25f * (upper[-2] + upper[2] + lower[-2] + lower[2])) < 0.6f * limit) return;
    }
    float around[24];
    int count = 0;
    for (int v = max(y - 2, 0); v < min(y + 3, height); v++)
        for (int u = max(x - 2, 0); u < min(x + 3, width); u++)
            if (!known[(long long)v * width + u] && (v != y || u != x)) around[count++] = root[(long long)v * width + u];
    if (count > 0 && fabsf(root[here] - median(around, count)) > limit) bad[here] = true;
}

extern "C" __global__ void find_donors(
    const bool *bad, int height, int width, const long long *indices, int number, int furthest, long long *donors,
    int wanted) {
    int item = blockIdx.x * blockDim.x + threadIdx.x;
    if (item >= number) return;
    int y = int(indices[item] / width), x = int(indices[item] % width), count = 0;
    long long *mine = donors + (long long)item * wanted;
    for (int radius = 1; radius <= furthest && count < wanted; radius++)
        for (int v = max(y - radius, 0); v < min(y + radius + 1, height); v++) {
            int step = v - y == radius || y - v == radius ? 1 : 2 * radius;
            for (int u = x - radius; u <= x + radius; u += step)
                if (u >= 0 && u < width && !bad[(long long)v * width + u] && count < wanted)
                    mine[count++] = (long long)v * width + u;
        }
    for (int spare = count; spare < wanted && count > 0; spare++) mine[spare] = mine[spare % count];
}

extern "C" __global__ void replace(
    const long long *bad, int number, const long long *donors, int choice, int seed, float *frame) {
    int item = blockIdx.x * blockDim.x + threadIdx.x;
    if (item >= number) return;
    unsigned hashed = unsigned(bad[item]) + unsigned(seed) * 0x9E3779B9u;
    hashed = (hashed ^ hashed >> 16) * 0x7FEB352Du;
    hashed = (hashed ^ hashed >> 15) * 0x846CA68Bu;
    frame[bad[item]] = frame[donors[(long long)item * choice + (hashed ^ hashed >> 16) % choice]];
}
