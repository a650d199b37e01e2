package outbox

import (
	"database/sql"
	"encoding/binary"
	"fmt"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
)

// Limits of one row.
const (
	maxMessages = 64 // as there are bits
	maxBytes    = 64 << 10
)

// taken is what is written in a transaction whose end is not known yet.
type taken struct {
	tx             *sql.Tx
	ended, changed []*row
}

// draft is a row that is being made.
type draft struct {
	*row
	ours, theirs string
	stanzas      []*stanza.Stanza
	bytes        int
}

// WriteRows implements store.BulkWriter. A nil row asks for the changes of all rows to be written.
func (w *writer) WriteRows(tx *sql.Tx, rows []store.BulkRow[*entry]) error {
	drafts, ended, changed := w.take(tx, rows)
	err := w.write(tx, drafts, ended, changed)
	if err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.untake()
		w.schedule(retryWait)
	}
	return err
}

// take makes rows of the messages that are not removed, and takes the changes that are to be written.
func (w *writer) take(tx *sql.Tx, rows []store.BulkRow[*entry]) (drafts []*draft, ended []*row, changed []row) {
	type pair struct{ ours, theirs string }
	open := map[pair]*draft{}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.taken.tx != tx { // the one before was rolled back, and is repeated
		w.untake()
		w.taken.tx = tx
	}
	all := false
	for i := range rows {
		e := rows[i].Value
		if e == nil {
			all = true
			continue
		}
		if e.removed {
			continue
		}
		p := pair{e.stanza.From.Domain(), e.stanza.To.Domain()}
		size := len(e.stanza.Payload) + len(e.stanza.Extra)
		d := open[p]
		if d == nil || len(d.stanzas) == maxMessages || d.bytes+size > maxBytes {
			d = &draft{row: &row{position: w.box.position()}, ours: p.ours, theirs: p.theirs}
			open[p] = d
			drafts = append(drafts, d)
		}
		e.row, e.bit = d.row, uint8(len(d.stanzas))
		d.stanzas = append(d.stanzas, e.stanza)
		d.bytes += size
		d.left++
	}
	ended = w.ended
	w.taken.ended = append(w.taken.ended, ended...)
	w.ended = nil
	if all {
		for _, r := range w.changed {
			r.changed = false
			if r.left > 0 {
				w.taken.changed = append(w.taken.changed, r)
				changed = append(changed, *r)
			}
		}
		w.changed = nil
	}
	return drafts, ended, changed
}

// untake puts back what was taken for a transaction that has failed. The lock is held.
func (w *writer) untake() {
	t := w.taken
	w.taken = taken{}
	w.ended = append(t.ended, w.ended...)
	for _, r := range t.changed {
		if r.left > 0 && !r.changed {
			r.changed = true
			w.changed = append(w.changed, r)
		}
	}
}

// Ended implements store.BulkWriter.
func (w *writer) Ended(_ int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.untake()
		w.schedule(retryWait)
	}
	w.taken = taken{}
	if len(w.ended)+len(w.changed) > 0 { // the write that the timer has queued may be among those for which there was no room
		w.schedule(removeWait)
	}
}

const (
	deleteSQL     = `DELETE FROM remote_outbox WHERE position = ?`
	deleteManySQL = `DELETE FROM remote_outbox WHERE position = ANY(?)` // PostgreSQL
	changeSQL     = `UPDATE remote_outbox SET handled = ? WHERE position = ?`
)

var insert = store.NewInsert("remote_outbox", []store.Column{
	{Name: "position", Type: store.BigInt}, {Name: "ours", Type: store.Text}, {Name: "theirs", Type: store.Text},
	{Name: "handled", Type: store.BigInt}, {Name: "messages", Type: store.Bytes},
}, "", "")

func (w *writer) write(tx *sql.Tx, drafts []*draft, ended []*row, changed []row) error {
	values := make([][]any, len(drafts))
	for i, d := range drafts {
		values[i] = []any{d.position, d.ours, d.theirs, int64(0), encode(d.stanzas, d.bytes)}
	}
	if _, err := w.box.store.InsertRows(tx, insert, values); err != nil {
		return fmt.Errorf("write messages for other servers: %w", err)
	}
	for _, r := range changed {
		if _, err := tx.Exec(changeSQL, int64(r.handled), r.position); err != nil {
			return fmt.Errorf("write what other servers have: %w", err)
		}
	}
	if err := w.delete(tx, ended); err != nil {
		return fmt.Errorf("delete messages for other servers: %w", err)
	}
	return nil
}

func (w *writer) delete(tx *sql.Tx, ended []*row) error {
	if len(ended) == 0 {
		return nil
	}
	if w.box.store.Dialect() == store.Postgres {
		positions := make([]int64, len(ended))
		for i, r := range ended {
			positions[i] = r.position
		}
		_, err := tx.Exec(deleteManySQL, positions)
		return err
	}
	for _, r := range ended {
		if _, err := tx.Exec(deleteSQL, r.position); err != nil {
			return err
		}
	}
	return nil
}

// encode returns the column messages.
func encode(list []*stanza.Stanza, bytes int) []byte {
	b := make([]byte, 0, bytes+len(list)*256)
	var text []byte
	for _, st := range list {
		text = st.AppendXML(text[:0], stanza.NSClient)
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	return b
}

// decode returns the texts of the column messages.
func decode(b []byte) ([]string, error) {
	var list []string
	for len(b) > 0 {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) || len(list) == maxMessages {
			return nil, fmt.Errorf("message %d is cut off", len(list))
		}
		list = append(list, string(b[size:size+int(n)]))
		b = b[size+int(n):]
	}
	return list, nil
}
