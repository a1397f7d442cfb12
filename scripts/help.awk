# `make help`: what stands behind `##` in the Makefile, by the groups of `##@`, no line wider than 80 columns.
#
#   ##@ GROUP            above targets
#   target: ... ## what it does
#   VARIABLE ?= value## what it is

function wrapped(name, text, wide,    words, n, i, line, lead) {
  lead = sprintf("  %-" wide "s ", name)
  n = split(text, words, " ")
  line = lead
  for (i = 1; i <= n; i++) {
    if (length(line) + length(words[i]) > 79 && line != lead) {
      sub(/ +$/, "", line)
      print line
      line = lead = sprintf("  %-" wide "s ", "")
    }
    line = line words[i] " "
  }
  sub(/ +$/, "", line)
  print line
}

/^##@ / { group = substr($0, 5); if (!(group in size)) { groups[++many] = group; size[group] = 0 } }

/^[a-z-]+:.*## / {
  name = text = $0
  sub(/:.*/, "", name)
  sub(/^[^#]*## /, "", text)
  size[group]++
  at = group SUBSEP size[group]
  names[at] = "make " name
  texts[at] = text
}

/^[A-Z_]+ [?]=.*## / {
  name = text = $0
  sub(/ .*/, "", name)
  sub(/^.*## /, "", text)
  variables[++known] = name
  meanings[known] = text
}

END {
  print "Begin with `make dataset LIMIT=12`: a dozen records, without a GPU."
  for (g = 1; g <= many; g++) {
    printf "\n%s\n", groups[g]
    for (i = 1; i <= size[groups[g]]; i++) {
      at = groups[g] SUBSEP i
      wrapped(names[at], texts[at], 17)
    }
  }
  print "\nVariables, as in `make dataset RUN=mine LIMIT=12`"
  for (i = 1; i <= known; i++) wrapped(variables[i], meanings[i], 9)
}
