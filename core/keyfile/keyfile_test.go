package keyfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadAndWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	if _, err := Read(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	for _, text := range []string{"one", "two"} {
		if err := Write(path, []byte(text), Private); err != nil {
			t.Fatal(err)
		}
		if got, err := Read(path); err != nil || string(got) != text {
			t.Errorf("%q %v", got, err)
		}
	}
	for mode, ok := range map[fs.FileMode]bool{0o600: true, 0o400: true, 0o640: false, 0o604: false, 0o644: false, 0o620: false, 0o666: false} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Read(path)
		if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "empty"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(filepath.Join(dir, "empty")); err == nil || !strings.Contains(err.Error(), "empty is empty") {
		t.Errorf("an empty key: %v", err)
	}
	if _, err := Read(dir); err == nil {
		t.Error("a directory was read")
	}
	if err := Write(filepath.Join(dir, "nowhere", "key"), nil, Private); err == nil {
		t.Error("written into a directory that is not there")
	}
	if err := Write(filepath.Join(dir, "public"), []byte("x"), Public); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, "public")); err != nil || info.Mode().Perm() != Public {
		t.Errorf("%v %v", info, err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 3 {
		t.Errorf("left in the directory: %v %v", list, err)
	}
}

// A write that fails leaves the old file, and nothing else.
func TestFailedWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	if err := os.MkdirAll(filepath.Join(path, "full"), 0o700); err != nil { // a rename onto it fails
		t.Fatal(err)
	}
	if err := Write(path, []byte("new"), Private); err == nil {
		t.Error("written")
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Errorf("left in the directory: %v %v", list, err)
	}
}

func TestCheckDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for mode, ok := range map[fs.FileMode]bool{0o700: true, 0o750: true, 0o755: true, 0o777: false, 0o703: false} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		if err := CheckDirectory(dir); (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "chmod 700 "+dir) {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if CheckDirectory(filepath.Join(dir, "file")) == nil || CheckDirectory(filepath.Join(dir, "nowhere")) == nil {
		t.Error("what is no directory was accepted")
	}
}
