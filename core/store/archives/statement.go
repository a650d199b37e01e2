package archives

import (
	"fmt"
	"slices"
	"strings"
)

// CROSS JOIN makes SQLite read the tables in this order. The plus keeps it from using those bounds of the
// position that are not of the minute. PostgreSQL keeps to the order because of OFFSET: by its estimates, which know nothing of
// minutes, it would often read all entries of a table for a page.
const (
	fromSQL = ` FROM archive_entries e`

	whereSQL = ` WHERE e.archive = ? AND e.position BETWEEN ? AND ?`

	whereContactSQL = ` WHERE e.contact = c.contact AND e.archive = c.archive
AND e.position BETWEEN c.minute * 60000000 AND c.minute * 60000000 + 59999999
AND c.archive = ? AND +e.position BETWEEN ? AND ? AND c.contact = ? AND c.minute BETWEEN ? AND ?`

	fromMessagesSQL = ` CROSS JOIN archive_messages m`

	whereMessagesSQL = ` AND m.number = e.message`

	fromContactSQL = ` FROM archive_contacts c CROSS JOIN /*postgres LATERAL (SELECT * FROM*/ archive_entries
/*postgres WHERE archive = c.archive AND contact = c.contact AND position BETWEEN c.minute * 60000000 AND c.minute * 60000000 + 59999999 OFFSET 0)*/ e`

	// The same for pages, of which some rows are read.
	pageMessagesSQL = ` CROSS JOIN /*postgres LATERAL (SELECT * FROM*/ archive_messages /*postgres WHERE number = e.message OFFSET 0)*/ m`

	// The first minutes in which there may be entries with a contact.
	minutesOfContactSQL = `SELECT count(*), coalesce(min(minute), 0), coalesce(max(minute), 0) FROM (
SELECT minute FROM archive_contacts WHERE archive = ? AND contact = ? AND minute BETWEEN ? AND ? ORDER BY minute%s LIMIT ?) AS first`

	minute = 60_000_000
)

var minutesForwards, minutesBackwards = fmt.Sprintf(minutesOfContactSQL, ""), fmt.Sprintf(minutesOfContactSQL, " DESC")

// statement is SELECT, what, and the rest of a query. messages is how the messages are joined, or "" where nothing of them matters.
func (q *query) statement(what, messages, tail string, more ...any) (text string, args []any) {
	args = []any{q.of.number, q.from, q.to}
	text, where := "SELECT "+what+fromSQL, whereSQL
	if !q.with.IsZero() {
		text, where = "SELECT "+what+fromContactSQL, whereContactSQL
		args = append(args, contactHash(q.with), q.from/minute, q.to/minute)
	}
	if messages != "" {
		text, where = text+messages, where+whereMessagesSQL
	}
	return text + where + q.where.String() + tail, slices.Concat(args, q.args, more)
}

// page is the statement that reads the first n entries in the direction of the query.
func (q *query) page(n int) (text string, args []any) {
	order := ` ORDER BY `
	if !q.with.IsZero() {
		order += `c.minute, `
	}
	order += `e.position`
	if q.backwards {
		order = strings.ReplaceAll(order, `minute`, `minute DESC`) + ` DESC`
	}
	return q.statement(`e.position, m.late, m.id, m.message`, pageMessagesSQL, order+` LIMIT ?`, n)
}
