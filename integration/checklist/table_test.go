package checklist

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "write TABLE.md anew")

const tableFile = "TABLE.md"

func TestTable(t *testing.T) {
	t.Parallel()
	lines, err := Lines()
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 120 {
		t.Errorf("lines.txt has %d lines", len(lines))
	}
	proofs, err := Scan(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range Missing(lines, proofs) {
		t.Errorf("line %d has no test: %s", l.Number, l.Title)
	}
	for _, n := range Unknown(lines, proofs) {
		t.Errorf("tests cite line %d, which there is not: %v", n, proofs[n])
	}
	want := Table(lines, proofs)
	if *update {
		if err := os.WriteFile(tableFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(tableFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not current: run go test ./integration/checklist -run TestTable -update", tableFile)
	}
}

// TestScan shows to which tests comments are counted.
func TestScan(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	word := "// check" + "list "
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a_test.go", "package a\n\n"+
		word+"1, 2: two in front\nfunc TestA(t *testing.T) {\n\t_ = 1 "+word+"3\n}\n\n"+
		"func TestB(t *testing.T) { use() } "+word+"4 5\n\n"+
		"var rows = []int{\n\t1, "+word+"6\n}\n\nfunc use() { _ = rows }\n\nfunc FuzzC(f *testing.F) {} "+word+"7\n")
	write("b.scenario", "# A scenario\n#"+word[2:]+"8, 9\n")
	write("c.go", "package a\n\nfunc none() {} "+word+"10\n")
	proofs, err := Scan(dir)
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]string{
		1: "a_test.go:TestA", 2: "a_test.go:TestA", 3: "a_test.go:TestA", 4: "a_test.go:TestB", 5: "a_test.go:TestB",
		6: "a_test.go:TestB", 7: "a_test.go:FuzzC", 8: "b.scenario", 9: "b.scenario", 10: "",
	} {
		if got := proofs[n]; !slices.Equal(got, slices.DeleteFunc([]string{want}, func(s string) bool { return s == "" })) {
			t.Errorf("line %d: %v, want %q", n, got, want)
		}
	}
	lines := []Line{{1, "one", true}, {2, "two", true}, {3, "three", false}}
	if m := Missing(lines, Proofs{1: {"x"}}); len(m) != 1 || m[0].Number != 2 {
		t.Errorf("missing: %v", m)
	}
	if u := Unknown(lines, proofs); len(u) != 6 || u[0] != 4 {
		t.Errorf("unknown: %v", u)
	}
	write("d_test.go", "package a\n\n"+word+"11\nvar lost = 1\n")
	if _, err := Scan(dir); err == nil {
		t.Error("a comment at nothing that is tested is counted")
	}
}
