package delivery

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// files hold the numbers of events that were delivered, each of 8 bytes, appended with a plain write:
// that survives the end of the process, though not a power failure. While the events in the older
// file are marked in the database, new numbers go to the other one. Its user has the lock.
type files struct {
	path string
	file *os.File // the newer one
	size int64    // of it, always a multiple of 8
}

// openFiles opens both files and returns what they hold.
func openFiles(path string) (*files, map[int64]bool, error) {
	found := map[int64]bool{}
	f := &files{path: path}
	for _, name := range []string{f.old(), path} {
		data, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, fmt.Errorf("read delivery log: %w", err)
		}
		f.size = int64(len(data) / 8 * 8) // a torn last number was not written
		for ; len(data) >= 8; data = data[8:] {
			found[int64(binary.BigEndian.Uint64(data))] = true
		}
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("open delivery log: %w", err)
	}
	f.file = file
	return f, found, nil
}

func (f *files) old() string { return f.path + ".old" }

// reset empties both files, once all that openFiles found is marked in the database.
func (f *files) reset() error {
	err := f.removeOld()
	if err == nil {
		err = f.file.Truncate(0)
		f.size = 0
	}
	return err
}

// add notes an event and returns how many the newer file holds.
func (f *files) add(seq int64) (int, error) {
	var buf [8]byte
	binary.BigEndian.PutUint64(buf[:], uint64(seq))
	if f.file == nil {
		return 0, fs.ErrClosed
	}
	// At a fixed offset, so that what a full disk cut off is overwritten.
	if _, err := f.file.WriteAt(buf[:], f.size); err != nil {
		return int(f.size / 8), fmt.Errorf("write delivery log: %w", err)
	}
	f.size += 8
	return int(f.size / 8), nil
}

// rotate begins a new file. The caller marks what the old one holds, then calls removeOld,
// before it may rotate again.
func (f *files) rotate() error {
	if f.file == nil {
		return fs.ErrClosed
	}
	if err := os.Rename(f.path, f.old()); err != nil {
		return fmt.Errorf("rotate delivery log: %w", err)
	}
	file, err := os.OpenFile(f.path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil { // go on with the old file under its old name
		return fmt.Errorf("rotate delivery log: %w", errors.Join(err, os.Rename(f.old(), f.path)))
	}
	err = f.file.Close()
	f.file, f.size = file, 0
	return err
}

// removeOld removes the old file.
func (f *files) removeOld() error {
	if err := os.Remove(f.old()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove delivery log: %w", err)
	}
	return nil
}

func (f *files) close() error {
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}
