package integration_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocsNameExistingFiles checks that the files which the guides in doc.go name exist, and that a
// step which is named with its file is in that file.
func TestDocsNameExistingFiles(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile(`\b(?:[a-z0-9_]+/)*[a-z0-9_*]+\.go\b`)
	step := regexp.MustCompile(`\b(\w+)\.(\w+),? +([a-z0-9_]+/[a-z0-9_]+\.go)\b`)
	steps := 0
	for _, at := range []string{"../core", "../transports"} {
		text, err := os.ReadFile(filepath.Join(at, "doc.go"))
		if err != nil {
			t.Fatal(err)
		}
		files := named.FindAllString(string(text), -1)
		if len(files) < 8 {
			t.Errorf("%s/doc.go names only %q", at, files)
		}
		for _, f := range files {
			if found, err := filepath.Glob(filepath.Join(at, f)); err != nil || len(found) == 0 {
				t.Errorf("%s/doc.go names %s, which is not there", at, f)
			}
		}
		for _, s := range step.FindAllStringSubmatch(string(text), -1) {
			steps++
			owner, name, f := s[1], s[2], s[3]
			source, err := os.ReadFile(filepath.Join(at, f))
			declared := regexp.MustCompile(`(?m)^(func \(\w+ \*?(?i:` + owner + `)\) |type )` + name + `\b`)
			if err != nil || !declared.Match(source) {
				t.Errorf("%s/doc.go names %s.%s in %s, which does not declare it: %v", at, owner, name, f, err)
			}
		}
	}
	if steps < 5 {
		t.Errorf("%d steps are named with their files", steps)
	}
}

// TestPackagesHaveDocs sees that each package says in its doc.go what it is for.
func TestPackagesHaveDocs(t *testing.T) {
	t.Parallel()
	packageComment := regexp.MustCompile(`(?m)^// (Package|Command) [a-z0-9]+ `)
	seen := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != ".." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return filepath.SkipDir
		case !d.IsDir():
			return nil
		}
		sources, err := filepath.Glob(filepath.Join(path, "*.go"))
		if err != nil || len(sources) == 0 {
			return err
		}
		seen++
		text, err := os.ReadFile(filepath.Join(path, "doc.go"))
		if err != nil || !packageComment.Match(text) {
			t.Errorf("%s/doc.go does not say what the package is for: %v", path, err)
		}
		return nil
	})
	if err != nil || seen < 30 {
		t.Errorf("%d packages seen: %v", seen, err)
	}
}
