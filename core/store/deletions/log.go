package deletions

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"sync"
)

// Names of the file, behind that of the database. Releases up to 0.1 used the second one.
const (
	suffix    = ".deletions"
	oldSuffix = ".collected"
)

const fileMode = 0o600

// Key names an offline message.
type Key struct{ Account, ID string }

// Log is an open file.
type Log struct {
	mu       sync.Mutex
	file     *os.File
	database string
	pending  int          // calls of Begin without their End
	failed   map[Key]bool // whose deletion has failed, and will be tried again
}

// Open opens the file beside a database and returns the messages that the last run has left in it, which are still to be deleted;
// then call Clear.
func Open(database string) (*Log, []Key, error) {
	left, err := read(database + suffix)
	if err != nil {
		return nil, nil, err
	}
	old, err := read(database + oldSuffix)
	if err != nil {
		return nil, nil, err
	}
	f, err := os.OpenFile(database+suffix, os.O_CREATE|os.O_WRONLY|os.O_APPEND, fileMode)
	if err != nil {
		return nil, nil, fmt.Errorf("open deletion log: %w", err)
	}
	return &Log{file: f, database: database, failed: map[Key]bool{}}, append(left, old...), nil
}

// read reads lines of an account and an id.
func read(path string) ([]Key, error) {
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read deletion log: %w", err)
	}
	var list []Key
	for line := range bytes.Lines(data) {
		account, id, ok := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(" "))
		if ok && bytes.HasSuffix(line, []byte("\n")) { // else the last line is incomplete: the process ended before the write did
			list = append(list, Key{string(account), string(id)})
		}
	}
	return list, nil
}

// Clear empties the file after the messages that Open returned were deleted.
func (l *Log) Clear() error {
	if err := os.Remove(l.database + oldSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return l.file.Truncate(0)
}

// Begin adds messages whose deletion begins; call End once for each Begin.
func (l *Log) Begin(keys []Key) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending++
	return l.write(func(yield func(Key) bool) {
		for _, m := range keys {
			if !l.failed[m] && !yield(m) { // those are there
				return
			}
		}
	})
}

func (l *Log) write(keys iter.Seq[Key]) error {
	var b bytes.Buffer
	for m := range keys {
		fmt.Fprintf(&b, "%s %s\n", m.Account, m.ID)
	}
	_, err := l.file.Write(b.Bytes())
	return err
}

// End reports how the deletion of the messages of a Begin has ended. When none is under way the file is emptied, except for the
// messages whose deletion has failed.
func (l *Log) End(keys []Key, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range keys {
		if err != nil {
			l.failed[m] = true
		} else {
			delete(l.failed, m)
		}
	}
	if l.pending--; l.pending > 0 || err != nil {
		return nil
	}
	if err := l.file.Truncate(0); err != nil || len(l.failed) == 0 {
		return err
	}
	return l.write(maps.Keys(l.failed))
}

// Close closes the file.
func (l *Log) Close() error { return l.file.Close() }
