package outbox

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

const loadSQL = `SELECT position, theirs, handled, messages FROM remote_outbox ORDER BY position`

// Load implements the Store of s2s/outbox: it calls each for the messages that an earlier process has left, in order, with the time at which they were
// accepted. Call it before Add.
func (o *Outbox) Load(ctx context.Context, each func(st *stanza.Stanza, at time.Time, remove func())) error {
	_, err := scan.Rows(ctx, o.store.Reader(), func(s scan.Row) (struct{}, error) {
		r := &row{}
		var theirs string
		var handled int64
		var messages []byte
		if err := s.Scan(&r.position, &theirs, &handled, &messages); err != nil {
			return struct{}{}, err
		}
		r.handled = uint64(handled)
		o.last.Store(max(o.last.Load(), r.position))
		texts, err := decode(messages)
		if err != nil {
			o.log.Error("messages for another server are not readable", "domain", theirs, "position", r.position, "err", err)
		}
		o.load(r, theirs, texts, each)
		return struct{}{}, nil
	}, loadSQL)
	if err != nil {
		return fmt.Errorf("read messages for other servers: %w", err)
	}
	return nil
}

// load handles one row.
func (o *Outbox) load(r *row, theirs string, texts []string, each func(*stanza.Stanza, time.Time, func())) {
	w := o.writer(theirs)
	list := make([]*stanza.Stanza, len(texts))
	for i, text := range texts {
		if r.handled&(1<<i) != 0 || text == "" {
			continue
		}
		st, err := stanza.Parse(text)
		if err != nil {
			o.log.Error("message for another server is not readable", "domain", theirs, "position", r.position, "err", err)
			continue
		}
		list[i] = st
		r.left++
	}
	if r.left == 0 {
		w.mu.Lock()
		w.note(r)
		w.mu.Unlock()
	}
	for i, st := range list {
		if st != nil {
			e := &entry{writer: w, row: r, bit: uint8(i)}
			each(st, time.UnixMicro(r.position), e.remove)
		}
	}
}

const (
	ofDomainSQL = `SELECT position, messages FROM remote_outbox WHERE ours = ? ORDER BY position /*postgres FOR UPDATE*/` // in one order, or two could wait for each other
	rewriteSQL  = `UPDATE remote_outbox SET messages = ? WHERE position = ?`
)

// deleteAccount removes the text of the messages of an account that is deleted. What is in memory is sent all the same. Only rows that may have
// some are held and parsed: the table may be large, and others wait for the transaction.
func deleteAccount(tx *sql.Tx, account jid.JID) error {
	type found struct {
		position int64
		messages []byte
	}
	list, err := scan.Rows(context.Background(), tx, func(s scan.Row) (f found, err error) {
		err = s.Scan(&f.position, &f.messages)
		if !bytes.Contains(f.messages, []byte(account.String())) { // no character of an address is escaped in XML
			f.messages = nil
		}
		return f, err
	}, ofDomainSQL, account.Domain())
	if err != nil {
		return fmt.Errorf("read messages of %s for other servers: %w", account, err)
	}
	for _, f := range list {
		rest, ok := withoutSender(f.messages, account)
		if !ok {
			continue
		}
		if _, err := tx.Exec(rewriteSQL, rest, f.position); err != nil {
			return fmt.Errorf("delete messages of %s for other servers: %w", account, err)
		}
	}
	return nil
}

// withoutSender replaces the messages of an account by empty ones, so that the others keep their numbers. ok is false if there are none.
func withoutSender(messages []byte, account jid.JID) (rest []byte, ok bool) {
	texts, err := decode(messages)
	if err != nil {
		return nil, false
	}
	for _, text := range texts {
		if st, err := stanza.Parse(text); err == nil && st.From.Bare() == account {
			text, ok = "", true
		}
		rest = append(binary.AppendUvarint(rest, uint64(len(text))), text...)
	}
	return rest, ok
}
