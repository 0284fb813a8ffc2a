// Texts that stand out too little from what is behind them, as "text: ratio"; and how light the page itself is, 0 to 1.
() => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const read = (colour) => {  // any CSS colour as red, green, blue, alpha from 0 to 1
    if (!known.has(colour)) {
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = colour;
      pen.fillRect(0, 0, 1, 1);
      known.set(colour, [...pen.getImageData(0, 0, 1, 1).data].map((part) => part / 255));
    }
    return known.get(colour);
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[3] * top[i] + (1 - top[3]) * below[i]);
  const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const luminance = ([red, green, blue]) => 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);

  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.backgroundColor = "Canvas";  // what the browser itself paints behind a page
  const paper = read(getComputedStyle(probe).backgroundColor);
  probe.remove();
  const behind = (element) => {
    if (!element) return paper;
    const own = read(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own : over(own, behind(element.parentElement));
  };
  const opacity = (element) => (element ? getComputedStyle(element).opacity * opacity(element.parentElement) : 1);

  const faint = [];
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].filter((node) => node.nodeType === 3 && node.data.trim());
    const words = own.map((node) => node.data.trim()).join(" ") || element.value || "";
    if (!words || element.closest("svg, script, style, noscript, option") || !element.checkVisibility()) continue;
    const ground = behind(element);
    const ink = [...read(getComputedStyle(element).color)];
    ink[3] *= opacity(element);
    const [dim, bright] = [luminance(over(ink, ground)), luminance(ground)].sort((a, b) => a - b);
    const ratio = (bright + 0.05) / (dim + 0.05);
    if (ratio < 4.5) faint.push(`${element.localName} "${words.slice(0, 40)}": ${ratio.toFixed(2)}`);
  }
  return { faint, ground: luminance(behind(document.body)) };
}
