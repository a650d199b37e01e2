package integration_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/integration/peers"
)

// writeFault is something that keeps the server from writing its database.
type writeFault struct {
	name   string
	advice string // a word of what the log tells the operator to do
	slow   bool   // each write fails only after a wait
	file   bool   // the database must be a file of the server
	// data is a data directory that the fault can be made in; empty: any.
	data func(t *testing.T) string
	// start causes the fault; end removes it, and may be called twice.
	start func(ctx context.Context, t *testing.T, d *peers.Dragoman) (end func())
}

var writeFaults = []writeFault{
	{name: "no file may grow", advice: "limit on the size of files", file: true, start: limitFiles},
	{name: "a full disk", advice: "free space", file: true, data: smallDisk, start: fillDisk},
	{name: "a locked database", advice: "another program", slow: true, start: lockDatabase},
}

// skipUnlessFile skips a fault that PostgreSQL does not have here.
func (f writeFault) skipUnlessFile(t *testing.T) {
	t.Helper()
	if f.file && storetest.OnPostgres() {
		t.Skip("the database is no file of the server")
	}
}

// limitFiles acts like a full disk without the right to mount one: no file of the process may grow any more.
func limitFiles(_ context.Context, t *testing.T, d *peers.Dragoman) func() {
	t.Helper()
	set := func(limit uint64) {
		t.Helper()
		l := unix.Rlimit{Cur: limit, Max: unix.RLIM_INFINITY}
		var old unix.Rlimit
		err := unix.Prlimit(d.PID(), unix.RLIMIT_FSIZE, nil, &old)
		if err == nil {
			l.Max = old.Max
			l.Cur = min(l.Cur, l.Max)
			err = unix.Prlimit(d.PID(), unix.RLIMIT_FSIZE, &l, nil)
		}
		if err != nil && !errors.Is(err, syscall.ESRCH) { // it was killed
			t.Errorf("limit the size of files: %v", err)
		}
	}
	set(0)
	return func() { set(unix.RLIM_INFINITY) }
}

// smallDisk is a file system of its own.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	options := fmt.Sprintf("size=8m,mode=700,uid=%d,gid=%d", os.Getuid(), os.Getgid())
	unmount := func() error { return syscall.Unmount(dir, syscall.MNT_DETACH) }
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options)
	if errors.Is(err, syscall.EPERM) { // one may, by way of sudo, who may install the peers
		err = asRoot("mount", "-t", "tmpfs", "-o", options, "tmpfs", dir)
		unmount = func() error { return asRoot("umount", "-l", dir) }
	}
	if err != nil {
		t.Skipf("a small disk cannot be mounted here (%v); files that may not grow are the same fault, and are tried everywhere", err)
	}
	t.Cleanup(func() {
		if err := unmount(); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func asRoot(args ...string) error {
	out, err := exec.Command("sudo", append([]string{"-n"}, args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// fillDisk leaves no byte free.
func fillDisk(_ context.Context, t *testing.T, d *peers.Dragoman) func() {
	t.Helper()
	name := filepath.Join(d.Data, "filling")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	for size := 64 << 10; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
			size /= 2
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return func() { _ = os.Remove(name) }
}

// lockDatabase holds a lock as another program would.
func lockDatabase(_ context.Context, t *testing.T, d *peers.Dragoman) func() {
	t.Helper()
	return storetest.Lock(t, storetest.DB(t, d.Data))
}

// intact checks the database of a server that does not run.
func intact(t *testing.T, d *peers.Dragoman) {
	t.Helper()
	storetest.Intact(t, storetest.DB(t, d.Data))
}
