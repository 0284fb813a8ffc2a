// Shows those rows of the claims that hold the typed words and have the chosen verdict. Without script all are shown.
(() => {
  const table = document.getElementById("claims");
  if (!table) return;
  const rows = [...table.tBodies[0].rows];
  const verdictOf = (row) => row.cells[row.cells.length - 1].textContent.trim();
  const words = document.getElementById("filter");
  const verdict = document.getElementById("verdict");
  const shown = document.getElementById("shown");
  for (const one of [...new Set(rows.map(verdictOf))].sort()) verdict.add(new Option(one));
  const update = () => {
    const wanted = words.value.trim().toLowerCase().split(/\s+/);
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      const fits = wanted.every((word) => text.includes(word)) && (!verdict.value || verdict.value === verdictOf(row));
      row.hidden = !fits;
    }
    shown.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} shown`;
  };
  words.addEventListener("input", update);
  verdict.addEventListener("change", update);
  document.getElementById("filters").hidden = false;
  update();
})();
