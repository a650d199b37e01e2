package delivery

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// files hold the numbers of events that were delivered, each of 8 bytes, appended with a plain write:
// that survives the end of the process, though not a power failure. The number is negative where the messages are not
// known to be archived. While the events in the older file are marked in the database, new numbers go to the other one.
// The caller of its methods holds Log.mu.
type files struct {
	path string
	file *os.File // the newer one; nil where it is closed
	size int64    // of it, always a multiple of 8
}

func oldPath(path string) string { return path + ".old" }

// readFiles returns the events that the files hold, and whether each is archived. Files that are not there hold none.
func readFiles(path string) (map[int64]bool, error) {
	found := map[int64]bool{}
	for _, name := range []string{oldPath(path), path} {
		data, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read delivery log: %w", err)
		}
		for ; len(data) >= 8; data = data[8:] { // else the last number is incomplete: its write was cut off
			if seq := int64(binary.BigEndian.Uint64(data)); seq < 0 {
				if _, ok := found[-seq]; !ok {
					found[-seq] = false
				}
			} else {
				found[seq] = true
			}
		}
	}
	return found, nil
}

// removeFiles removes both files, where they are.
func removeFiles(path string) error {
	for _, name := range []string{oldPath(path), path} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove delivery log: %w", err)
		}
	}
	return nil
}

// MoveFiles moves what the files at path hold to the database, where the log of any later run finds it.
func MoveFiles(ctx context.Context, path string, db *tables.Database) error {
	found, err := readFiles(path)
	if err == nil && len(found) > 0 {
		err = db.AddMarks(ctx, found)
	}
	if err != nil {
		return err
	}
	return removeFiles(path)
}

// start implements notes: it removes what readFiles has read, and begins a new file.
func (f *files) start(context.Context) error {
	if err := removeFiles(f.path); err != nil {
		return err
	}
	file, err := os.OpenFile(f.path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("open delivery log: %w", err)
	}
	f.file, f.size = file, 0
	return nil
}

// add implements notes.
func (f *files) add(seq int64, archived bool) error {
	if f.file == nil {
		return fs.ErrClosed
	}
	if !archived {
		seq = -seq
	}
	var buf [8]byte
	binary.BigEndian.PutUint64(buf[:], uint64(seq))
	// At a fixed offset, so that what a full disk cut off is overwritten.
	if _, err := f.file.WriteAt(buf[:], f.size); err != nil {
		return fmt.Errorf("write delivery log: %w", err)
	}
	f.size += 8
	return nil
}

// rotate implements notes: it begins a new file, to which the caller adds what has to stay noted.
func (f *files) rotate() error {
	if f.file == nil {
		return fs.ErrClosed
	}
	if err := os.Rename(f.path, oldPath(f.path)); err != nil {
		return fmt.Errorf("rotate delivery log: %w", err)
	}
	file, err := os.OpenFile(f.path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil { // go on with the old file under its old name
		return fmt.Errorf("rotate delivery log: %w", errors.Join(err, os.Rename(oldPath(f.path), f.path)))
	}
	err = f.file.Close()
	f.file, f.size = file, 0
	return err
}

// forgetOld implements notes.
func (f *files) forgetOld() error {
	if err := os.Remove(oldPath(f.path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove delivery log: %w", err)
	}
	return nil
}

// close implements notes.
func (f *files) close() error {
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}
