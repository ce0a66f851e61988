// To the left what the means, rows of equal phase and rays, are at each pixel's phase, to the right waves of a height.

constexpr double PI = 3.14159265358979323846;

extern "C" __global__ void draw(
    const float *frequency, const float *angle, const float *phase, const float *wave, const double *means,
    const double *height, int size, int rows, int rays, double lowest, double edge, double step, double arc,
    double width, int red, int green, int blue, unsigned char *picture) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y, half = size / 2;
    if (x >= size || y >= size) return;
    unsigned char *mine = picture + 3 * (y * size + x);
    double here = frequency[y * size + x], shown;
    if (fabs(here - arc) < width) {
        mine[0] = red;
        mine[1] = green;
        mine[2] = blue;
        return;
    }
    if (here < lowest || here > edge) return;
    if (x < half) {
        double row = min(max((phase[y * half + x] - lowest) / step + 1.0, 0.0), rows - 1.0);
        double ray = (angle[y * half + x] / PI + 0.5) * rays + rays - 0.5;
        int top = min(int(row), rows - 2), left = int(ray), first = left % rays, second = (left + 1) % rays;
        const double *above = means + top * rays, *below = above + rays;
        double upper = above[first] + (ray - left) * (above[second] - above[first]);
        double lower = below[first] + (ray - left) * (below[second] - below[first]);
        shown = upper + (row - top) * (lower - upper);
    } else {
        double place = (here - lowest) / step;
        int ring = min(int(place), rows - 4);
        double tall = height[ring] + (place - ring) * (height[ring + 1] - height[ring]);
        shown = wave[y * half + x - half] * tall;
    }
    mine[0] = mine[1] = mine[2] = (unsigned char)min(max(128.0 + 110.0 * shown, 0.0), 255.0);
}
