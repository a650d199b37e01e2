package bridge

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// journal remembers which inbox rows were handed to the Endpoint, as numbers of 8
// bytes appended to a file with a plain write: that survives the end of the process,
// though not a power failure. There are two files: while the rows of the older one
// are being marked in the store, new numbers go to the other. Its user has the lock.
type journal struct {
	path string
	file *os.File // the newer one
	size int64    // of it, always a multiple of 8
}

// openJournal opens both files and returns what they hold.
func openJournal(path string) (*journal, map[int64]bool, error) {
	had := map[int64]bool{}
	j := &journal{path: path}
	for _, name := range []string{j.old(), path} {
		data, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, fmt.Errorf("read journal: %w", err)
		}
		j.size = int64(len(data) / 8 * 8) // a torn last number was not written
		for ; len(data) >= 8; data = data[8:] {
			had[int64(binary.BigEndian.Uint64(data))] = true
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("open journal: %w", err)
	}
	j.file = f
	return j, had, nil
}

func (j *journal) old() string { return j.path + ".old" }

// reset empties the journal once all that openJournal found is marked in the store.
func (j *journal) reset() error {
	err := j.drop()
	if err == nil {
		err = j.file.Truncate(0)
		j.size = 0
	}
	return err
}

// add notes a row and returns how many the file holds.
func (j *journal) add(seq int64) (int, error) {
	var buf [8]byte
	binary.BigEndian.PutUint64(buf[:], uint64(seq))
	if j.file == nil {
		return 0, fs.ErrClosed
	}
	// At a fixed place, so that what a full disk tore is written over.
	if _, err := j.file.WriteAt(buf[:], j.size); err != nil {
		return int(j.size / 8), fmt.Errorf("write journal: %w", err)
	}
	j.size += 8
	return int(j.size / 8), nil
}

// turn begins a new file. The caller marks what the old one holds, then calls drop,
// before it may turn again.
func (j *journal) turn() error {
	if j.file == nil {
		return fs.ErrClosed
	}
	if err := os.Rename(j.path, j.old()); err != nil {
		return fmt.Errorf("turn journal: %w", err)
	}
	f, err := os.OpenFile(j.path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil { // go on with the old file under its old name
		return fmt.Errorf("turn journal: %w", errors.Join(err, os.Rename(j.old(), j.path)))
	}
	err = j.file.Close()
	j.file, j.size = f, 0
	return err
}

// drop forgets the old file.
func (j *journal) drop() error {
	if err := os.Remove(j.old()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("drop journal: %w", err)
	}
	return nil
}

func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	j.file = nil
	return err
}
