package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// fillSQL makes messages ?2 to ?3 of those of BenchmarkQuery on PostgreSQL itself, ten times as fast as the writer does: message i from
// contact i modulo 100, or each ten thousandth from rare, i seconds behind ?4 (microseconds). The form is that of package archives, the
// id a UUID of version 7. Words are drawn nearly as often as those of languages are.
const fillSQL = `WITH texts AS MATERIALIZED (
SELECT i, CASE WHEN i % 10000 = 0 THEN 'rare@example.org' ELSE 'contact' || i % 100 || '@example.org' END AS contact,
(SELECT string_agg('w' || to_hex(floor(50000 * power(random(), 5))::bigint + 0 * w), ' ') FROM generate_series(1, 5 + i % 10) AS w)
|| CASE WHEN i % 10 = 0 THEN ' often' ELSE '' END || CASE WHEN i % 10000 = 0 THEN ' seldom' ELSE '' END
|| CASE WHEN i % (?6::bigint / 100) = 0 THEN ' inhundred' ELSE '' END || CASE WHEN i % (?6::bigint / 100000) = 0 THEN ' inhundredthousand' ELSE '' END AS text
FROM generate_series(?2::bigint, ?3::bigint) AS i
), messages AS (
INSERT INTO archive_messages (number, position, late, id, receiver, receiver_contact, message)
SELECT ?5::bigint + i, ?4::bigint + i * 1000000, 0,
decode(lpad(to_hex(?4::bigint / 1000 + i * 1000), 12, '0') || '70008' || right(md5(i::text), 15), 'hex'), ?1::bigint, h.hash,
'\x0101'::bytea || convert_to(chr(17) || 'alice@example.org' || chr(length(contact) + 2) || contact || '/x' || chr(1) || 'm' || chr(4) || 'chat', 'UTF8')
|| '\x0000'::bytea || convert_to('<body>' || text || '</body>', 'UTF8')
FROM texts JOIN unnest(?7::text[], ?8::bigint[]) AS h (name, hash) ON h.name = contact
RETURNING position, receiver_contact AS contact, number
), entries AS (
INSERT INTO archive_entries (archive, position, contact, message) SELECT ?1::bigint, position, contact, number FROM messages
)
INSERT INTO archive_contacts (archive, contact, minute) SELECT DISTINCT ?1::bigint, contact, position / 60000000 FROM messages ON CONFLICT DO NOTHING`

// fillAtOnce is how many messages one statement makes.
const fillAtOnce = 200_000

// fillOnPostgres makes the archive of BenchmarkQuery, with a message of each contact an hour before, and returns the id of the message
// in the middle.
func fillOnPostgres(b *testing.B, s *Store, begin time.Time, n int) (middle string) {
	b.Helper()
	begin = begin.Truncate(time.Second)
	names := []string{"rare@example.org"}
	for i := range 100 {
		names = append(names, fmt.Sprintf("contact%d@example.org", i))
	}
	number, hashes := archiveFirst(b, s, begin.Add(-time.Hour), names)
	var next int64
	if err := s.writes.QueryRow(`UPDATE archive_state SET next = next + ? RETURNING next`, n).Scan(&next); err != nil {
		b.Fatal(err)
	}
	for from := 0; from < n; from += fillAtOnce {
		to := min(from+fillAtOnce, n) - 1
		if _, err := s.writes.Exec(fillSQL, number, from, to, begin.UnixMicro(), next-int64(n), n, names, hashes); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := s.writes.Exec(`VACUUM ANALYZE`); err != nil { // as autovacuum does in time
		b.Fatal(err)
	}
	var id archive.ID
	var bytes []byte
	if err := s.writes.QueryRow(`SELECT m.id FROM archive_entries e JOIN archive_messages m ON m.number = e.message WHERE e.archive = ? AND e.position = ?`,
		number, begin.UnixMicro()+int64(n/2)*1_000_000).Scan(&bytes); err != nil {
		b.Fatal(err)
	}
	copy(id[:], bytes)
	return id.String()
}

// archiveFirst archives a message from each of some contacts, and returns the number of the archive and those of the contacts.
func archiveFirst(b *testing.B, s *Store, at time.Time, names []string) (number int64, hashes []int64) {
	b.Helper()
	for i, name := range names {
		at := at.Add(time.Duration(i) * time.Second)
		st := stanza.NewMessage(alice, jid.MustParse(name+"/x"), stanza.TypeChat, stanza.TextElement("", "body", "first"))
		done := make(chan error, 1)
		s.Archive(alice, archive.Entry{ID: storetest.IDAt(at).String(), At: at, Stanza: st}, func(err error) { done <- err })
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	rows, err := s.writes.Query(`SELECT archive, contact FROM archive_entries ORDER BY position`)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var hash int64
		if err := rows.Scan(&number, &hash); err != nil {
			b.Fatal(err)
		}
		hashes = append(hashes, hash)
	}
	return number, hashes
}
