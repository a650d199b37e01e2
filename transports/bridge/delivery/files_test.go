package delivery

import (
	"os"
	"path/filepath"
	"testing"
)

// What was noted is found by the next run, in both files; a number that was cut off is not.
func TestFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	f, found, err := openFiles(path)
	if err != nil || len(found) != 0 {
		t.Fatal(found, err)
	}
	note := func(seqs ...int64) {
		t.Helper()
		for _, seq := range seqs {
			if _, err := f.add(seq); err != nil {
				t.Fatal(err)
			}
		}
	}
	note(1, 2)
	if err := f.rotate(); err != nil {
		t.Fatal(err)
	}
	note(3)
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
	torn, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := torn.Write([]byte{0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	torn.Close()
	f, found, err = openFiles(path)
	if err != nil || len(found) != 3 || !found[1] || !found[2] || !found[3] {
		t.Fatal(found, err)
	}
	note(4) // over what was cut off
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
	f, found, err = openFiles(path)
	if err != nil || len(found) != 4 || !found[4] {
		t.Fatal(found, err)
	}
	if err := f.reset(); err != nil {
		t.Fatal(err)
	}
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
	if _, found, err := openFiles(path); err != nil || len(found) != 0 {
		t.Error(found, err)
	}
}
