// A spectrum is turned by its shift and added, with weights and without, in one pass over the memory.

extern "C" __global__ void add(
    const float2 *spectrum, int height, int columns, int width, double shift_y, double shift_x, const float *weight,
    const unsigned short *ring, float2 *total, float2 *weighted) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= columns || y >= height) return;
    int row = 2 * y < height ? y : y - height;
    double turns = row * shift_y / height + x * shift_x / width;
    float c, s;
    sincospif(2.0f * float(turns - rint(turns)), &s, &c);
    long long i = (long long)y * columns + x;
    float2 here = spectrum[i];
    float real = here.x * c - here.y * s, imaginary = here.x * s + here.y * c, w = weight[ring[i]];
    total[i] = make_float2(total[i].x + real, total[i].y + imaginary);
    weighted[i] = make_float2(weighted[i].x + w * real, weighted[i].y + w * imaginary);
}
