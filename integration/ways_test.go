package integration_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestWaysAreThere sees that the files which the ways through the house name do exist.
func TestWaysAreThere(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile(`\b[a-z0-9_]+/[a-z0-9_/*]+\.go\b`)
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
	}
}
