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

// Names of the file, behind that of the database. Releases up to 0.1 used the second one.
const (
	deletionLogSuffix    = ".deletions"
	oldDeletionLogSuffix = ".collected"
)

// deletionLog is a file beside a SQLite database. It lists the offline messages that clients have
// received, until the transaction that deletes them has committed. A plain write to a file
// survives the end of the process at once, a commit comes only some milliseconds later: without
// the file, a server that is killed in between would deliver them twice.
type deletionLog struct {
	mu      sync.Mutex
	file    *os.File
	pending int // deletions under way
}

// openDeletionLog opens the file and returns what the last run has left in it.
func openDeletionLog(database string) (*deletionLog, []offlineKey, error) {
	left, err := readDeletions(database + deletionLogSuffix)
	if err != nil {
		return nil, nil, err
	}
	old, err := readDeletions(database + oldDeletionLogSuffix)
	if err != nil {
		return nil, nil, err
	}
	f, err := os.OpenFile(database+deletionLogSuffix, os.O_CREATE|os.O_WRONLY|os.O_APPEND, fileMode)
	if err != nil {
		return nil, nil, fmt.Errorf("open deletion log: %w", err)
	}
	return &deletionLog{file: f}, append(left, old...), nil
}

// readDeletions reads lines of an account and an id.
func readDeletions(path string) ([]offlineKey, error) {
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read deletion log: %w", err)
	}
	var list []offlineKey
	for line := range bytes.Lines(data) {
		account, id, ok := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(" "))
		if ok && bytes.HasSuffix(line, []byte("\n")) { // a torn last line was not written
			list = append(list, offlineKey{string(account), string(id)})
		}
	}
	return list, nil
}

// deleteLogged deletes what the last run could not.
func deleteLogged(tx *sql.Tx, left []offlineKey) error {
	for _, m := range left {
		if _, err := tx.Exec(deleteOfflineSQL, m.account, m.id); err != nil {
			return fmt.Errorf("delete offline message of %s: %w", m.account, err)
		}
	}
	return nil
}

// begin adds messages; end is called when they are deleted.
func (l *deletionLog) begin(keys []offlineKey) error {
	var b bytes.Buffer
	for _, m := range keys {
		fmt.Fprintf(&b, "%s %s\n", m.account, m.id)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending++
	_, err := l.file.Write(b.Bytes())
	return err
}

// end empties the file when nothing in it is needed any longer.
func (l *deletionLog) end(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pending--; l.pending > 0 || err != nil {
		return nil
	}
	return l.file.Truncate(0)
}

func (l *deletionLog) close() error { return l.file.Close() }
