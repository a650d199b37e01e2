package checklist

import (
	"fmt"
	"slices"
	"strings"
)

// Table writes TABLE.md.
func Table(lines []Line, proofs Proofs) string {
	var b strings.Builder
	b.WriteString("# What is asked of the server, and the tests that show it\n\n" +
		"Written by `go test ./integration/checklist -run TestTable -update`; lines.txt names the lines.\n" +
		"Tests of one file stand behind its name.\n\n| line | what | tests |\n|---|---|---|\n")
	for _, l := range lines {
		what := l.Title
		if !l.Due {
			what += " (not served yet)"
		}
		fmt.Fprintf(&b, "| %d | %s | %s |\n", l.Number, what, strings.Join(byFile(proofs[l.Number]), "<br>"))
	}
	return b.String()
}

// byFile puts the tests of a file behind its name.
func byFile(tests []string) []string {
	files := map[string][]string{}
	for _, t := range tests {
		file, name, _ := strings.Cut(t, ":")
		files[file] = append(files[file], name)
	}
	var out []string
	for file, names := range files {
		slices.Sort(names)
		out = append(out, strings.TrimSuffix(file+": "+strings.Join(names, ", "), ": "))
	}
	slices.Sort(out)
	return out
}

// Missing are the lines that are due and have no test.
func Missing(lines []Line, proofs Proofs) []Line {
	var missing []Line
	for _, l := range lines {
		if l.Due && len(proofs[l.Number]) == 0 {
			missing = append(missing, l)
		}
	}
	return missing
}

// Unknown are numbers that tests cite and lines.txt does not have.
func Unknown(lines []Line, proofs Proofs) []int {
	var unknown []int
	for n := range proofs {
		if n < 1 || n > len(lines) {
			unknown = append(unknown, n)
		}
	}
	slices.Sort(unknown)
	return unknown
}
