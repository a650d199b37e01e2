package storetest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	_ "embed"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

//go:embed testdata/data-741532e.tar.gz
var oldData []byte

// OldData unpacks a data directory that an earlier release has made, and returns its path;
// testdata/README.md says what is in it.
func OldData(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	packed, err := gzip.NewReader(bytes.NewReader(oldData))
	if err != nil {
		t.Fatal(err)
	}
	for files := tar.NewReader(packed); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(files)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(h.Name)), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
