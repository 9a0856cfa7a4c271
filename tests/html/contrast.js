// Texts with less contrast than WCAG asks for (4.5 : 1), each with its colours; run in the page by look_at_page.py.
// SPDX-License-Identifier: MIT
const parse = (colour) => {
  const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number);
  return {rgb: [r, g, b], a};
};
const luminance = (rgb) => {
  const [r, g, b] = rgb.map((v) => (v /= 255, v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (element) => {
  for (let e = element; e; e = e.parentElement) {
    const {rgb, a} = parse(getComputedStyle(e).backgroundColor);
    if (a === 1) return rgb;
  }
  return [255, 255, 255];
};
const contrast = (a, b) => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};
const holdsText = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
return [...document.body.querySelectorAll("*")]
  .filter((e) => holdsText(e) && !e.closest("svg, script, noscript, details:not([open]) > :not(summary)") && e.checkVisibility())
  .map((e) => ({text: e.textContent.trim().slice(0, 40), ink: parse(getComputedStyle(e).color).rgb, ground: ground(e)}))
  .map((t) => ({...t, contrast: contrast(t.ink, t.ground)}))
  .filter((t) => t.contrast < 4.5)
  .slice(0, 5);
