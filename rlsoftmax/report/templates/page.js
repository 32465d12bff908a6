"use strict";
// The page is whole without this script: it selects, moves lines that are there, sorts and copies.
(() => {
  const find = (what, where = document) => where.querySelector(what);
  const all = (what, where = document) => [...where.querySelectorAll(what)];
  const linked = id => decodeURIComponent(find(id).getAttribute("href").replace(/^[^,]*,/, ""));
  const data = JSON.parse(linked("#data")), page = document.body, tip = find("#tip"), slider = find("#slider");
  let chosen = data.first;
  page.classList.add("js");

  // --- curves over steps ---
  const places = (grid, frame, steps, log) => grid[log ? "log" : "linear"].map(at => {
    const share = log ? Math.log(Math.max(at, 1)) / Math.log(Math.max(steps, 2)) : at / steps;
    return frame[0] + share * (frame[1] - frame[0]);
  });
  const height = (chart, value) => {
    const [low, high] = chart.heights, [, , bottom, top] = chart.frame;
    return bottom + (value - low) / (high - low || 1) * (top - bottom);
  };
  const path = points => {
    let text = "", pen = "M";
    for (const [x, y] of points) {
      if (y !== null) text += pen + x.toFixed(1) + " " + y.toFixed(1);
      pen = y === null ? "M" : "L";
    }
    return text;
  };
  const curve = (chart, x, values) => path(values.map((value, k) => [x[k], value === null ? null : height(chart, value)]));
  const ribbon = (chart, x, {mean, half}) => {
    const there = mean.map((value, k) => k).filter(k => mean[k] !== null && half[k] !== null);
    const side = sign => there.map(k => [x[k], height(chart, mean[k] + sign * half[k])]);
    return there.length < 2 ? "" : path([...side(1), ...side(-1).reverse()]) + "Z";
  };
  const svgs = all("svg.curves").map(svg => ({svg, chart: data.charts[svg.dataset.chart]}));

  function draw({svg, chart}) {
    const log = page.dataset.steps === "log", on = chart.series[chosen];
    const x = chart.grids.map(grid => places(grid, chart.frame, chart.steps, log));
    if (svg.dataset.drawn !== page.dataset.steps)
      for (const line of all(".line", svg)) {
        const series = chart.series[line.dataset.item];
        line.setAttribute("d", curve(chart, x[series.grid], series.mean));
      }
    svg.dataset.drawn = page.dataset.steps;
    const band = find(".band", svg);
    band.setAttribute("class", "band k" + chosen);
    band.setAttribute("d", on ? ribbon(chart, x[on.grid], on) : "");
    name(svg, chart, on);
  }

  // The selected line is named at its end; names that would touch that one give way.
  function name(svg, chart, on) {
    const ends = find(".ends", svg), last = on ? on.mean.filter(value => value !== null).pop() : undefined;
    find(".pick", ends)?.remove();
    const at = last === undefined ? -99 : height(chart, last) + 4;
    for (const text of all("text", ends))
      text.classList.toggle("off", !shown(+text.dataset.item) || Math.abs(text.getAttribute("y") - at) < 13
        || +text.dataset.item === chosen);
    if (last === undefined) return;
    const pick = document.createElementNS(svg.namespaceURI, "text");
    pick.setAttribute("class", "pick on k" + chosen);
    pick.setAttribute("x", chart.frame[1] + 7);
    pick.setAttribute("y", at.toFixed(1));
    pick.textContent = data.items[chosen].short;
    ends.append(pick);
  }
  const shown = place => data.items[place].rival || data.items[place].group === group();
  const group = () => data.items[chosen].rival ? (data.groups.findIndex(g => g.includes(+slider.dataset.last))) : data.items[chosen].group;

  // --- selecting ---
  function select(place) {
    chosen = place;
    const item = data.items[place], mates = data.groups[item.group];
    if (!item.rival) slider.dataset.last = place;
    for (const one of all("[data-item]")) one.classList.toggle("on", +one.dataset.item === place);
    for (const panel of all(".panel")) panel.classList.toggle("on", +panel.dataset.panel === item.panel);
    for (const join of all("[data-join]")) join.classList.toggle("on", +join.dataset.join === item.group);
    for (const line of all(".line")) line.classList.toggle("off", !shown(+line.dataset.item));
    for (const line of all(".line.on, .dot.on")) line.parentNode.append(line);
    slider.max = mates.length - 1;
    slider.value = mates.indexOf(place);
    slider.disabled = mates.length < 2;
    slider.setAttribute("aria-valuetext", item.name);
    const track = data.axis === null || mates.length < 2 ? "var(--grid)" : `linear-gradient(to right,${mates.map(k => `var(--c${k})`)})`;
    slider.style.setProperty("--track", track);
    slider.style.setProperty("--thumb", `var(--c${place})`);
    if (find("#group")) find("#group").value = item.group;
    find("#name").textContent = item.name;
    find("#facts").replaceChildren(...item.facts.map(([head, text]) => {
      const fact = document.createElement("span"), label = document.createElement("i");
      label.textContent = head;
      fact.append(label, " " + text);
      return fact;
    }));
    svgs.forEach(draw);
    learned(item, place);
  }

  // --- what was learned ---
  function learned(item, place) {
    const figure = find(`[data-policy="${item.panel}"]`), found = data.policies[item.panel], one = found.learned[place];
    const svg = find("svg", figure), why = find(".why", figure), note = find(".note", figure);
    why.hidden = !!one;
    why.textContent = found.missing[place] || "";
    if (find(".of", figure)) find(".of", figure).textContent = item.name;
    if (!svg) return;
    svg.style.display = one ? "" : "none";
    note.hidden = !one;
    if (!one) return;
    svg.setAttribute("class", `chart policy ${found.kind} k${place}`);
    find(".count", figure).textContent = one.runs;
    shape[found.kind](svg, found, one);
  }
  const shape = {
    arms: (svg, found, {p: [row]}) => all(".mark", svg).forEach((mark, k) => {
      const bar = find(".share", mark), [value] = all("text", mark), high = 240 * row[k];
      bar.setAttribute("y", 280 - high);
      bar.setAttribute("height", high);
      if (!value) return;
      value.setAttribute("y", 275 - high);
      value.textContent = Math.round(100 * row[k]) + " %";
    }),
    map: (svg, {rows, moves, size}, {p, beside}) => {
      const top = Math.max(...beside) || 1, across = rows[0].length;
      all(".share", svg).forEach((mark, k) => mark.setAttribute("fill-opacity", Math.sqrt(beside[k] / top)));
      find(".rays", svg).setAttribute("d", p.flatMap((row, k) => {
        const x = k % across, y = Math.floor(k / across);
        if ("HCG".includes(rows[y][x])) return [];
        return row.map((chance, a) => chance < 0.02 ? "" : `M${size * (x + .5)} ${size * (y + .5)}l`
          + `${.44 * size * chance * moves[a][0]} ${.44 * size * chance * moves[a][1]}`);
      }).join(""));
    },
    states: (svg, found, {p}) => all(".share", svg).forEach((mark, k) =>
      mark.setAttribute("fill-opacity", p[Math.floor(k / p[0].length)][k % p[0].length])),
  };

  // --- hovering ---
  const spell = value => (Math.abs(value) >= 1000 ? value.toFixed(0) : value.toPrecision(3)).replace("-", "−");
  function nearest({svg, chart}, event) {
    const box = svg.getBoundingClientRect(), view = svg.viewBox.baseVal;
    const px = (event.clientX - box.left) * view.width / box.width, py = (event.clientY - box.top) * view.height / box.height;
    const log = page.dataset.steps === "log";
    const grids = chart.grids.map(grid => places(grid, chart.frame, chart.steps, log));
    let best = null;
    for (const [place, one] of Object.entries(chart.series)) {
      if (!shown(+place)) continue;
      const x = grids[one.grid];
      const k = x.reduce((at, value, n) => one.mean[n] !== null && (at < 0 || Math.abs(value - px) < Math.abs(x[at] - px)) ? n : at, -1);
      if (k < 0) continue;
      const y = height(chart, one.mean[k]), far = Math.hypot(x[k] - px, y - py);
      if (!best || far < best.far) best = {place: +place, k, x: x[k], y, far, one, grid: chart.grids[one.grid]};
    }
    return best;
  }
  function hover(of, event) {
    const near = nearest(of, event), old = find(".hover", of.svg);
    old?.remove();
    if (!near) return;
    const dot = document.createElementNS(of.svg.namespaceURI, "circle");
    dot.setAttribute("class", "hover k" + near.place);
    dot.setAttribute("cx", near.x);
    dot.setAttribute("cy", near.y);
    dot.setAttribute("r", 5);
    of.svg.append(dot);
    const first = near.grid.first[near.k], last = near.grid.last[near.k] - 1, half = near.one.half[near.k];
    say(`${data.items[near.place].name}\n${first === last ? "step " + first : `steps ${first} to ${last}`}: `
      + spell(near.one.mean[near.k]) + (half === null ? "" : " ± " + half.toPrecision(2)), event);
  }
  function say(text, event) {
    tip.textContent = text;
    tip.hidden = !text;
    if (!text) return;
    tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 6)) + "px";
    tip.style.top = (event.clientY + tip.offsetHeight + 22 > innerHeight ? event.clientY - tip.offsetHeight - 10 : event.clientY + 16) + "px";
  }
  for (const of of svgs) {
    of.svg.addEventListener("pointermove", event => hover(of, event));
    of.svg.addEventListener("pointerleave", () => { find(".hover", of.svg)?.remove(); say(""); });
    of.svg.addEventListener("click", event => { const near = nearest(of, event); if (near) select(near.place); });
  }
  for (const title of all("svg title")) {
    const mark = title.parentNode, text = title.textContent;
    title.remove();
    mark.setAttribute("aria-label", text);
    mark.addEventListener("pointermove", event => say(text, event));
    mark.addEventListener("pointerleave", () => say(""));
  }

  // --- controls ---
  slider.addEventListener("input", () => select(data.groups[data.items[chosen].group][slider.value]));
  find("#group")?.addEventListener("change", event => select(data.groups[event.target.value][0]));
  for (const choice of all("input[type=radio]")) {
    choice.checked = page.dataset[choice.name] === choice.value;
    choice.addEventListener("change", () => { page.dataset[choice.name] = choice.value; svgs.forEach(draw); });
  }
  for (const mark of all("svg:not(.curves) [data-item], #listing tbody tr"))
    mark.addEventListener("click", () => select(+mark.dataset.item));
  const table = find("#listing"), body = table.tBodies[0];
  body.addEventListener("keydown", event => { if (event.key === "Enter") select(+event.target.dataset.item); });
  all("th button", table).forEach((button, column) => button.addEventListener("click", () => {
    const head = button.parentNode, falls = head.ariaSort === "none" ? column > 0 : head.ariaSort === "ascending";
    for (const other of all("th", table)) other.ariaSort = "none";
    head.ariaSort = falls ? "descending" : "ascending";
    const number = row => parseFloat(row.cells[column].dataset.v);
    const rows = [...body.rows].sort((a, b) => {
      const [x, y] = [number(a), number(b)];
      return isNaN(x) || isNaN(y) ? isNaN(x) - isNaN(y) : falls ? y - x : x - y;
    });
    body.append(...rows);
  }));

  // --- taking along ---
  const texts = () => [...table.tHead.rows, ...body.rows].map(row => [...row.cells].map(cell => cell.textContent.trim()));
  const symbols = {"±": "$\\pm$", "−": "$-$", "≈": "$\\approx$", "∞": "$\\infty$", "×": "$\\times$", "–": "--", "\u2009": "\\,",
    "τ": "$\\tau$", "β": "$\\beta$", "α": "$\\alpha$", "γ": "$\\gamma$", "ε": "$\\varepsilon$", "λ": "$\\lambda$", "δ": "$\\delta$", "σ": "$\\sigma$",
    "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}"};
  const latex = text => [...text].map(one => symbols[one] || ("&%$#_{}".includes(one) ? "\\" + one : one)).join("");
  const forms = {
    csv: () => {
      const [head, ...lines] = linked("#csv").match(/(?:"(?:[^"]|"")*"|[^"\n])*\n/g);
      return head + [...body.rows].map(row => lines[row.dataset.item]).join("");
    },
    latex: () => {
      const [head, ...rows] = texts().map(row => row.map(latex).join(" & ") + " \\\\");
      return ["\\begin{tabular}{l" + "r".repeat(table.tHead.rows[0].cells.length - 1) + "}", "\\toprule", head, "\\midrule",
        ...rows, "\\bottomrule", "\\end{tabular}", ""].join("\n");
    },
    markdown: () => {
      const [head, ...rows] = texts().map(row => "| " + row.map(text => text.replace(/[\\|<>*_`]/g, "\\$&")).join(" | ") + " |");
      return [head, "|:--" + "|--:".repeat(table.tHead.rows[0].cells.length - 1) + "|", ...rows, ""].join("\n");
    },
  };
  async function copy(text) {
    try { await navigator.clipboard.writeText(text); } catch {
      const area = document.createElement("textarea");
      area.value = text;
      page.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  }
  for (const button of all("[data-copy]")) button.addEventListener("click", async () => {
    const words = button.textContent;
    await copy(forms[button.dataset.copy]());
    button.textContent = "copied";
    setTimeout(() => { button.textContent = words; }, 1200);
  });
  for (const [what, words] of [[".curves", "curves.svg"], [".scores", "scores.svg"], [".runs", "runs.svg"], [".policy", "policy.svg"]]) {
    if (!find("svg" + what)) continue;
    const button = document.createElement("button");
    button.textContent = words;
    button.addEventListener("click", () => save(all("svg" + what).find(svg => svg.getBoundingClientRect().width), words));
    find("#pictures").append(button, " ");
  }
  function save(svg, words) {
    const copied = svg.cloneNode(true), style = document.createElementNS(svg.namespaceURI, "style"), link = document.createElement("a");
    style.textContent = find("#chart-style").textContent;
    copied.prepend(style);
    copied.setAttribute("xmlns", svg.namespaceURI);
    copied.dataset.steps = page.dataset.steps;
    link.href = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(copied)], {type: "image/svg+xml"}));
    link.download = words;
    link.click();
    URL.revokeObjectURL(link.href);
  }
  addEventListener("beforeprint", () => { for (const one of all("details")) one.open = true; });
  select(chosen);
})();
