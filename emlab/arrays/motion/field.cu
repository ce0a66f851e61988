// The motion within the field at each place of a grid, along y and then along x.

extern "C" __global__ void displace(
    const double *along_y, int rows, const double *along_x, int columns, const double *tables, int degrees, int frame,
    double *local) {
    int column = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y * blockDim.y + threadIdx.y;
    if (column >= columns || row >= 2 * rows) return;
    const double *table = tables + (2LL * frame + row / rows) * degrees * degrees;
    const double *of_y = along_y + (long long)(row % rows) * degrees, *of_x = along_x + (long long)column * degrees;
    double sum = 0.0;
    for (int i = 0; i < degrees; i++) {
        double inner = 0.0;
        for (int j = 0; j < degrees; j++) inner += table[i * degrees + j] * of_x[j];
        sum += of_y[i] * inner;
    }
    local[(long long)row * columns + column] = sum;
}
