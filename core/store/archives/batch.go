package archives

import (
	"database/sql"
	"fmt"
	"strings"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// messageBatch is what is going to be written together.
type messageBatch struct {
	number   int64
	messages []messageRow
	args     []any
	forms    []byte
	stamp    []byte
}

// messageRow is a row of archive_messages.
type messageRow struct {
	number, position, late    int64
	id                        archive.ID
	text                      string
	sender, receiver          int64 // 0 is NULL
	senderContact, recContact int64
	stanza                    *stanza.Stanza
	payload                   string // without the receiver's stanza-id
	stamped                   bool   // it had that
	form                      []byte // instead of these three: as it is kept
}

// put gives a message its position behind the last one.
func (m *messageRow) put(a *accountState, at, made int64) {
	m.position = max(at, made, a.last+1)
	if m.late = m.position - at; m.late < slack {
		m.late = 0
	}
	a.last, a.message = m.position, m.number
}

// belongTo puts the message into the archive of an account, and returns the contact there.
func (m *messageRow) belongTo(account jid.JID, number int64) (contact int64) {
	contact = contactHash(peerOf(account, m.stanza))
	if isSender(account, m.stanza) {
		m.sender, m.senderContact = number, contact
	} else {
		m.receiver, m.recContact = number, contact
	}
	return contact
}

func sameHeader(a, b *stanza.Stanza) bool {
	return a == b || a.Kind == b.Kind && a.To == b.To && a.From == b.From && a.ID == b.ID && a.Type == b.Type && a.Lang == b.Lang && a.Extra == b.Extra
}

// unstamped is the payload without the receiver's stanza-id at its end.
func (b *messageBatch) unstamped(r *Row) (payload string, stamped bool) {
	b.stamp = message.AppendStanzaID(b.stamp[:0], r.Account, r.IDText)
	text := r.Stanza.Payload
	if n := len(text) - len(b.stamp); n >= 0 && text[n:] == string(b.stamp) {
		return text[:n], true
	}
	return text, false
}

// Messages are inserted in pieces of these sizes, so that few statements have to be prepared.
var insertPieces = []struct {
	rows int
	text string
}{{64, insertMessages(64)}, {8, insertMessages(8)}, {1, insertMessages(1)}}

const rowMarks = `(?, ?, ?, ?, ?, ?, ?, ?, ?)`

func insertMessages(rows int) string {
	return `INSERT INTO archive_messages (number, position, late, id, sender, receiver, sender_contact, receiver_contact, message) VALUES ` +
		strings.Repeat(rowMarks+", ", rows-1) + rowMarks
}

func (b *messageBatch) insert(tx *sql.Tx) error {
	list := b.messages
	for _, piece := range insertPieces {
		for ; len(list) >= piece.rows; list = list[piece.rows:] {
			b.args, b.forms = b.args[:0], b.forms[:0]
			for i := range list[:piece.rows] {
				b.append(&list[i])
			}
			if _, err := tx.Exec(piece.text, b.args...); err != nil {
				return fmt.Errorf("archive messages: %w", err)
			}
		}
	}
	return nil
}

// encode gives a message's id and form as they are kept. The form is in the memory of the batch.
func (b *messageBatch) encode(m *messageRow) (id, form []byte) {
	id, form = m.id[:], m.form
	if m.text != "" {
		id = textID(m.text)
	}
	if form == nil {
		begin := len(b.forms)
		b.forms = appendForm(b.forms, m.stanza, m.payload, m.stamped)
		form = b.forms[begin:]
	}
	return id, form
}

// append adds the values of a row.
func (b *messageBatch) append(m *messageRow) {
	id, form := b.encode(m)
	var sender, receiver, senderContact, receiverContact any
	if m.sender != 0 {
		sender, senderContact = m.sender, m.senderContact
	}
	if m.receiver != 0 {
		receiver, receiverContact = m.receiver, m.recContact
	}
	b.args = append(b.args, m.number, m.position, m.late, id, sender, receiver, senderContact, receiverContact, form)
}

func (b *messageBatch) clear() {
	clear(b.messages)
	clear(b.args)
	b.messages, b.args = b.messages[:0], b.args[:0]
	if cap(b.forms) > 1<<20 {
		b.forms = nil
	}
}
