package archives

import (
	"database/sql"
	"fmt"
	"strings"
)

// notedMinutes are the rows of archive_contacts for the messages without entries. In a conversation one row
// serves many messages, so that it is cheaper to note the rows than to find them in the messages.
type notedMinutes struct {
	list []contactMinute // some may be there twice
	span int64           // number of the list
}

// notedMinute is the last one of an account.
type notedMinute struct {
	contact, minute, span int64
}

// add notes the minute of a message.
func (n *notedMinutes) add(a *accountState, contact, position int64) {
	this := notedMinute{contact, position / minute, n.span}
	if a.noted != this {
		a.noted = this
		n.list = append(n.list, contactMinute{a.number, contact, this.minute})
	}
}

// forget begins another list.
func (n *notedMinutes) forget() {
	n.list = n.list[:0]
	n.span++
}

const insertMinutesSQL = `INSERT INTO archive_contacts (archive, contact, minute) VALUES `

// insertMinutes are statements for some rows at once.
var insertMinutes = []struct {
	rows int
	text string
}{{64, minutesSQL(64)}, {8, minutesSQL(8)}, {1, minutesSQL(1)}}

func minutesSQL(rows int) string {
	return insertMinutesSQL + strings.Repeat("(?, ?, ?), ", rows-1) + "(?, ?, ?) ON CONFLICT DO NOTHING"
}

// insert writes the list.
func (n *notedMinutes) insert(tx *sql.Tx) error {
	var args []any
	list := n.list
	for _, piece := range insertMinutes {
		for ; len(list) >= piece.rows; list = list[piece.rows:] {
			args = args[:0]
			for _, m := range list[:piece.rows] {
				args = append(args, m.archive, m.contact, m.minute)
			}
			if _, err := tx.Exec(piece.text, args...); err != nil {
				return fmt.Errorf("index archived messages by contact: %w", err)
			}
		}
	}
	return nil
}
