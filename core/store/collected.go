package store

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
)

// collected is a file beside the database that names the kept messages which clients have
// got, until their deletion is on disk. A plain write survives the end of the process at
// once, which a commit does only some milliseconds later: without it, a server that is
// killed then would give them out twice.
type collected struct {
	path string

	mu   sync.Mutex
	file *os.File
	open int // deletions under way
}

// openCollected reads what the last run has left: an account and an id on each line.
func openCollected(path string) (*collected, [][2]string, error) {
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("read what was collected: %w", err)
	}
	var left [][2]string
	for line := range bytes.Lines(data) {
		account, id, ok := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(" "))
		if ok && bytes.HasSuffix(line, []byte("\n")) { // a torn last line was not written
			left = append(left, [2]string{string(account), string(id)})
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("open what is collected: %w", err)
	}
	return &collected{path: path, file: f}, left, nil
}

// forget deletes what the last run could not.
func (c *collected) forget(tx *sql.Tx, left [][2]string) error {
	for _, l := range left {
		if _, err := tx.Exec(deleteOfflineSQL, l[0], l[1]); err != nil {
			return fmt.Errorf("delete message kept for %s: %w", l[0], err)
		}
	}
	return nil
}

// add notes ids of one account; done is to be called when they are deleted.
func (c *collected) add(account string, ids []string) error {
	var b bytes.Buffer
	for _, id := range ids {
		fmt.Fprintf(&b, "%s %s\n", account, id)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open++
	_, err := c.file.Write(b.Bytes())
	return err
}

// done empties the file when nothing in it is needed any longer.
func (c *collected) done(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open--; c.open > 0 || err != nil {
		return nil
	}
	return c.file.Truncate(0)
}

func (c *collected) close() error { return c.file.Close() }
