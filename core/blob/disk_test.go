package blob

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/dragoman-im/dragoman/core/stanza"
)

const id = "0123456789abcdefghij"

func openDisk(t *testing.T, dir string) *Disk {
	t.Helper()
	d, err := OpenDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// files lists the files below a directory.
func files(t *testing.T, dir string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			list = append(list, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestDisk(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	d := openDisk(t, dir)
	for _, content := range []string{"x", strings.Repeat("content", 100_000), ""} {
		if err := d.Create(t.Context(), id, int64(len(content)), strings.NewReader(content+"more")); err != nil {
			t.Fatal(err)
		}
		f, err := d.Open(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(f); err != nil || string(got) != content {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		if err := d.Delete(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	if _, err := d.Open(t.Context(), id); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a deleted file: %v", err)
	}
	if list := files(t, dir); len(list) != 0 {
		t.Errorf("left: %q", list)
	}
}

// A file that does not come as a whole leaves nothing, and neither does one that was being written when the process ended.
func TestUnfinished(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := openDisk(t, dir)
	broken := io.MultiReader(strings.NewReader("x"), iotest.ErrReader(errors.New("reset by peer")))
	for name, content := range map[string]io.Reader{"short": strings.NewReader("xy"), "broken": broken} {
		if err := d.Create(t.Context(), id, 3, content); !errors.Is(err, ErrContent) {
			t.Errorf("%s: %v", name, err)
		}
		if list := files(t, dir); len(list) != 0 {
			t.Errorf("%s leaves %q", name, list)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, unfinished, id), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	openDisk(t, dir)
	if list := files(t, dir); len(list) != 0 {
		t.Errorf("left: %q", list)
	}
}

// CVE-2016-1231, CVE-2019-18393: no id leads out of the directory, and no link that is in it.
func TestPathTraversal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := openDisk(t, filepath.Join(dir, "files"))
	if err := os.WriteFile(filepath.Join(dir, "secretsecretsecret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		"", ".", "..", "../secretsecretsecret", "/etc/passwd", "..%2fsecretsecretsecret", "secretsecretsecret\x00", "..\\secretsecretsecret", "SECRETSECRETSECRET",
		"unfinished/" + id, strings.Repeat("a", maxID+1), "short",
	} {
		if _, err := d.Open(t.Context(), bad); !errors.Is(err, ErrID) {
			t.Errorf("open %q: %v", bad, err)
		}
		if err := d.Create(t.Context(), bad, 1, strings.NewReader("x")); !errors.Is(err, ErrID) {
			t.Errorf("create %q: %v", bad, err)
		}
		if err := d.Delete(t.Context(), bad); !errors.Is(err, ErrID) {
			t.Errorf("delete %q: %v", bad, err)
		}
	}
	link := filepath.Join(dir, "files", "se")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if f, err := d.Open(t.Context(), "secretsecretsecret"); err == nil {
		_ = f.Close()
		t.Error("a link leads out of the directory")
	}
	if err := d.Create(t.Context(), "secretsecretsecret", 1, strings.NewReader("x")); err == nil {
		t.Error("a file was written through a link")
	}
	if got, err := os.ReadFile(filepath.Join(dir, "secretsecretsecret")); err != nil || string(got) != "secret" {
		t.Errorf("%q, %v", got, err)
	}
}

// A full disk is a temporary error and leaves nothing.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := openDisk(t, dir)
	full := &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	if err := fullDisk(full); !stanza.Temporary(err) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v", err)
	}
	d.SetReserve(1 << 60)
	var none *Full
	if err := d.Room(1); !errors.As(err, &none) || !stanza.Temporary(err) {
		t.Errorf("room: %v", err)
	}
	if err := d.Create(t.Context(), id, 1, strings.NewReader("x")); !errors.As(err, &none) {
		t.Errorf("create: %v", err)
	}
	if list := files(t, dir); len(list) != 0 {
		t.Errorf("left: %q", list)
	}
	d.SetReserve(0)
	if err := d.Create(t.Context(), id, 1, strings.NewReader("x")); err != nil {
		t.Error(err)
	}
}

// A file that is being written has its room.
func TestRoomForUnfinished(t *testing.T) {
	t.Parallel()
	const size = 1 << 20
	d := openDisk(t, t.TempDir())
	d.free = func(*os.Root) (int64, error) { return 10 * size, nil }
	d.SetReserve(10*size - size - size/2)
	content, sender := io.Pipe()
	done := make(chan error)
	go func() { done <- d.Create(t.Context(), id, size, content) }()
	if _, err := sender.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	var none *Full
	if err := d.Room(size); !errors.As(err, &none) {
		t.Errorf("while another file is being written: %v", err)
	}
	if err := d.Create(t.Context(), "another"+id, size, strings.NewReader("x")); !errors.As(err, &none) {
		t.Errorf("create while another file is being written: %v", err)
	}
	_ = sender.Close()
	if err := <-done; !errors.Is(err, ErrContent) {
		t.Errorf("%v", err)
	}
	if err := d.Room(size); err != nil || d.coming.Load() != 0 {
		t.Errorf("%v, %d bytes are coming", err, d.coming.Load())
	}
}

// A large file takes no more memory than a small one.
func TestMemory(t *testing.T) {
	t.Parallel()
	d := openDisk(t, t.TempDir())
	const size = 64 << 20
	allocated := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.TotalAlloc
	}
	before := allocated()
	if err := d.Create(t.Context(), id, size, &zeros{}); err != nil {
		t.Fatal(err)
	}
	if used := allocated() - before; used > size/4 { // other tests run meanwhile
		t.Errorf("%d bytes were allocated for a file of %d", used, size)
	}
}

type zeros struct{}

func (*zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestReader(t *testing.T) {
	t.Parallel()
	for size, want := range map[int64]string{0: "", 2: "ab", 3: "abc"} {
		if err := iotest.TestReader(Reader(bytes.NewReader([]byte("abc")), size), []byte(want)); err != nil {
			t.Error(fmt.Errorf("%d: %w", size, err))
		}
	}
}
