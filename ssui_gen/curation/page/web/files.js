// A person's file, out of the page and into it.

/** The person's file, exactly as the command would write it. */
function rowsOf(app) {
  return [...app.ids.map((id) => kept(app.line(id))), ...app.gone];
}

function downloadFile(app) {
  app.noteTime();
  const rows = rowsOf(app);
  const address = URL.createObjectURL(
    new Blob([rows.map((line) => `${asRow(line)}\n`).join("")], { type: "application/jsonl" }),
  );
  const link = make("a", { href: address, download: `${app.store.name}.jsonl` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
  app.store.written(rows);
  const words = `${app.store.name}.jsonl was downloaded: put it into the folder that this page came from.`;
  app.tell([words, ...leaving(app)].join(" "));
}

async function openFile(app, input) {
  const { read, refused } = app.store.open(await input.files[0].text());
  const differ = app.store.clashes.size;
  input.value = "";
  app.reload();
  app.tell(
    `${read} lines read.` +
      (refused.length ? ` Not read: line ${listed(refused)}; \`ssui curation check\` says why.` : "") +
      (differ ? ` ${differ} say something else than this page: each shows both.` : ""),
  );
  if (differ) app.go([...app.store.clashes.keys()].find((id) => app.lines.has(id)));
}

function listed(numbers, most = 5) {
  return numbers.slice(0, most).join(", ") + (numbers.length > most ? " …" : "");
}
