package delivery

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
)

func expectFiles(t *testing.T, path string, want map[int64]bool) {
	t.Helper()
	if found, err := readFiles(path); err != nil || !maps.Equal(found, want) {
		t.Fatalf("%v %v, want %v", found, err, want)
	}
}

// What was noted is found by the next run, in both files; a number that was cut off is not.
func TestFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	expectFiles(t, path, map[int64]bool{})
	f := &files{path: path}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	do(f.start(t.Context()))
	do(f.add(1, true))
	do(f.add(2, false))
	do(f.rotate())
	do(f.add(3, true))
	do(f.add(2, true))
	do(f.add(4, true))
	do(f.add(4, false))
	do(f.close())
	torn, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	do(err)
	_, err = torn.Write([]byte{0, 0, 0})
	do(err)
	do(torn.Close())
	expectFiles(t, path, map[int64]bool{1: true, 2: true, 3: true, 4: true})
	do(f.start(t.Context()))
	expectFiles(t, path, map[int64]bool{})
	do(f.add(5, false))
	expectFiles(t, path, map[int64]bool{5: false})
	do(f.rotate())
	do(f.forgetOld())
	expectFiles(t, path, map[int64]bool{})
	do(f.close())
	if err := f.add(6, true); err == nil {
		t.Error("noted in a closed file")
	}
}
