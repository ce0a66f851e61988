// Points set pixel by pixel into a picture: a canvas takes many times as long for as many squares.

const DEPTHS = 12; // points in one place from which on one more makes no difference

class Cloud {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
  }

  clear(width, height) {
    if (this.canvas.width !== width || this.canvas.height !== height || !this.picture) {
      Object.assign(this.canvas, { width, height });
      this.picture = this.context.createImageData(width, height);
      this.pixels = new Uint32Array(this.picture.data.buffer);
      this.depth = new Uint8Array(width * height);
    } else this.pixels.fill(0);
  }

  // The points that follow cover those before; where several are in one place it is the more opaque.
  colour(name, alpha) {
    this.context.fillStyle = name;
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(this.context.fillStyle.slice(at, at + 2), 16));
    const rgb = (blue << 16) | (green << 8) | red;
    this.shades = Uint32Array.from({ length: DEPTHS }, (_, depth) => (Math.round(255 * (1 - (1 - alpha) ** depth)) << 24) | rgb);
    this.depth.fill(0);
  }

  // Squares of some size, by the pixel at the corner of each.
  put(corners, count, size) {
    const { depth, pixels, shades, canvas: { width, height } } = this;
    for (let at = 0; at < 2 * count; at += 2) {
      const x = corners[at], y = corners[at + 1];
      const left = x < 0 ? 0 : x, right = x + size > width ? width : x + size, bottom = y + size > height ? height : y + size;
      for (let row = y < 0 ? 0 : y; row < bottom; row++) {
        for (let place = row * width + left, end = row * width + right; place < end; place++) {
          const deeper = depth[place] + 1;
          if (deeper === DEPTHS) continue;
          depth[place] = deeper;
          pixels[place] = shades[deeper];
        }
      }
    }
  }

  draw(context, left, top) {
    this.context.putImageData(this.picture, 0, 0);
    context.drawImage(this.canvas, left, top);
  }
}
