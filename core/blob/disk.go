package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sync/atomic"
)

// unfinished is the directory of files that are being written.
const unfinished = "unfinished"

// bufferSize is what one file that is written takes of memory.
const bufferSize = 64 << 10

// Disk stores files in a directory.
type Disk struct {
	root    *os.Root
	free    func(*os.Root) (int64, error)
	reserve atomic.Int64
	coming  atomic.Int64 // bytes of the files being written that are not on the disk yet
}

// OpenDisk makes the directory if it does not exist, and removes what an earlier process has not finished.
func OpenDisk(dir string) (*Disk, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make directory of files: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open directory of files: %w", err)
	}
	if err := errors.Join(root.RemoveAll(unfinished), root.Mkdir(unfinished, 0o700)); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare directory of files: %w", err), root.Close())
	}
	return &Disk{root: root, free: freeSpace}, nil
}

// Close closes the directory.
func (d *Disk) Close() error { return d.root.Close() }

// SetReserve sets how many bytes of the disk are left free.
func (d *Disk) SetReserve(bytes int64) { d.reserve.Store(bytes) }

// Room returns a *Full if there is no room for a file of that size besides those that are being written.
func (d *Disk) Room(size int64) error { return d.room(size + d.coming.Load()) }

func (d *Disk) room(size int64) error {
	free, err := d.free(d.root)
	if err != nil {
		return fmt.Errorf("measure free space: %w", err)
	}
	if free >= 0 && size > free-d.reserve.Load() {
		return &Full{fmt.Errorf("%d bytes are free, of which %d are kept free and %d are for files that are being written", free, d.reserve.Load(), d.coming.Load())}
	}
	return nil
}

// nameOf returns the path of a file: many files in one directory are slow on some file systems.
func nameOf(id string) (string, error) {
	if err := CheckID(id); err != nil {
		return "", err
	}
	return path.Join(id[:2], id), nil
}

// Create stores a file. It returns when the file is on the disk.
func (d *Disk) Create(_ context.Context, id string, size int64, content io.Reader) error {
	name, err := nameOf(id)
	if err != nil {
		return err
	}
	coming := &announced{content: content, disk: d, left: size}
	defer coming.end()
	if err := d.room(d.coming.Add(size)); err != nil { // added first: two files must not both take the last room
		return err
	}
	temporary := path.Join(unfinished, id)
	if err := d.write(temporary, size, coming); err != nil {
		return errors.Join(fullDisk(err), ignoreMissing(d.root.Remove(temporary)))
	}
	if err := d.publish(temporary, name); err != nil {
		return errors.Join(fullDisk(err), ignoreMissing(d.root.Remove(temporary)), ignoreMissing(d.root.Remove(name)))
	}
	return nil
}

// announced is the content of a file that is being written. What has not been read yet counts as coming.
type announced struct {
	content io.Reader
	disk    *Disk
	left    int64
}

func (a *announced) Read(b []byte) (int, error) {
	n, err := a.content.Read(b)
	a.arrived(int64(n))
	return n, err
}

func (a *announced) arrived(n int64) {
	a.left -= n
	a.disk.coming.Add(-n)
}

func (a *announced) end() { a.arrived(a.left) }

// write writes a new file and syncs it.
func (d *Disk) write(name string, size int64, content io.Reader) error {
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("create file: %w", err)
	}
	// Without the methods of *os.File, which would choose a buffer of their own.
	_, err = io.CopyBuffer(struct{ io.Writer }{f}, struct{ io.Reader }{Reader(content, size)}, make([]byte, bufferSize))
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// publish gives a written file its name, on the disk too.
func (d *Disk) publish(temporary, name string) error {
	if err := d.root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	if err := d.root.Rename(temporary, name); err != nil {
		return fmt.Errorf("rename file: %w", err)
	}
	return errors.Join(d.sync(path.Dir(name)), d.sync("."))
}

func (d *Disk) sync(dir string) error {
	f, err := d.root.Open(dir)
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return errors.Join(f.Sync(), f.Close())
}

// Open opens a file.
func (d *Disk) Open(_ context.Context, id string) (io.ReadSeekCloser, error) {
	name, err := nameOf(id)
	if err != nil {
		return nil, err
	}
	f, err := d.root.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Delete deletes a file, if it exists.
func (d *Disk) Delete(_ context.Context, id string) error {
	name, err := nameOf(id)
	if err != nil {
		return err
	}
	return ignoreMissing(d.root.Remove(name))
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
