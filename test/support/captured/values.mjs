export const ratio = 0.5;
export const settings = { depth: 3 };
export default function half(x) {
  return x * ratio;
}
