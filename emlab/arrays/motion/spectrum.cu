// To each row several weighted rows of the source are added.

extern "C" __global__ void add_rows(
    const float *source, int columns, const long long *index, const float *weight, int terms, float *total, int rows) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= columns || y >= rows) return;
    float sum = 0.0f;
    for (int n = 0; n < terms; n++) sum += weight[y * terms + n] * source[index[y * terms + n] * columns + x];
    total[(long long)y * columns + x] += sum;
}
