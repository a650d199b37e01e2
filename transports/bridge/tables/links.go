package tables

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store/scan"
	"github.com/dragoman-im/dragoman/transports"
)

// Link joins a room of another service to a channel.
type Link struct {
	ID      int64
	Room    int64
	Login   transports.LoginID // that writes to the channel
	Address jid.JID            // of the linked room
	People  int                // how many people of the channel are in it at most
	Sent    int64              // Seq of the last entry of the channel's archive that the linked room has
	Seen    string             // id of the last message of the linked room that the channel has
	SeenAt  time.Time
	Cause   string // why it does not work until its owner does something; "" where it works
	Topics  LinkTopics
}

// LinkTopics are the topics on both sides that a link has carried.
type LinkTopics struct {
	Channel string
	Room    string // the subject of the linked room
	Known   bool   // false until the two were compared first
}

// LinkMessage is one message in both rooms.
type LinkMessage struct {
	Link    int64
	Entry   string // id in the archive of the channel
	Message string // its own id in the room of the channel
	There   string // its own id in the linked room
	ThereID string // the id that the linked room has given it
	Author  string // who wrote it in the linked room; "" where it is from the channel
	Nick    string // of its author in the linked room
	At      time.Time
}

// LinkReactions are the reactions of somebody of the linked room to a message.
type LinkReactions struct {
	Link          int64
	Entry, Author string
	Emoji         []string // all of them
}

// LinkBatch changes links.
type LinkBatch struct {
	Messages  []LinkMessage
	Reactions []LinkReactions
}

const (
	linkColumns = `SELECT l.id, l.room, l.login, l.address, l.people, l.sent, l.seen, l.seen_at, l.cause, l.topic, l.subject, l.compared FROM bridge_links l `

	linksSQL = linkColumns + `JOIN bridge_rooms r ON r.id = l.room WHERE r.gateway = ? ORDER BY l.id`
	linkSQL  = linkColumns + `WHERE l.room = ? AND l.address = ?`
	// What is in the archive already is not sent again. Without the condition the insert would take an id on PostgreSQL.
	addLinkSQL = `INSERT INTO bridge_links (room, login, address, people, sent, seen, seen_at, cause)
SELECT CAST(?1 AS BIGINT), CAST(?2 AS TEXT), CAST(?3 AS TEXT), CAST(?4 AS BIGINT),
  coalesce((SELECT max(seq) FROM bridge_archive WHERE room = ?1 AND seq > 0), 0), '', CAST(?5 AS BIGINT), CAST(?6 AS TEXT)
WHERE NOT EXISTS (SELECT 1 FROM bridge_links WHERE room = ?1 AND address = ?3) ON CONFLICT (room, address) DO NOTHING`
	dropLinkSQL     = `DELETE FROM bridge_links WHERE id = ?`
	linkCauseSQL    = `UPDATE bridge_links SET cause = ? WHERE id = ?`
	linkProgressSQL = `UPDATE bridge_links SET sent = ?, seen = ?, seen_at = ?, topic = ?, subject = ?, compared = ? WHERE id = ?`

	linkMessageColumns = `SELECT link, entry, message, there, there_id, author, nick, at FROM bridge_link_messages WHERE link = ? `
	linkByEntrySQL     = linkMessageColumns + `AND entry = ?`
	linkByMessageSQL   = linkMessageColumns + `AND message = ? ORDER BY at DESC LIMIT 1`
	linkByThereIDSQL   = linkMessageColumns + `AND there_id = ? LIMIT 1`
	linkByThereSQL     = linkMessageColumns + `AND there = ? ORDER BY author = ? DESC, at DESC LIMIT 1`
	linkByNickSQL      = linkMessageColumns + `AND there = ? AND nick = ? ORDER BY there_id, at DESC LIMIT 1`
	linkReactionsSQL   = `SELECT author, emoji FROM bridge_link_reactions WHERE link = ? AND entry = ? ORDER BY author, emoji`
	linkUnreactSQL     = `DELETE FROM bridge_link_reactions WHERE link = ? AND entry = ? AND author = ?`
	linkReactSQL       = `INSERT INTO bridge_link_reactions (link, entry, author, emoji) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`
	addLinkMessageSQL  = `INSERT INTO bridge_link_messages (link, entry, message, there, there_id, author, nick, at)
SELECT CAST(?1 AS BIGINT), CAST(?2 AS TEXT), CAST(?3 AS TEXT), CAST(?4 AS TEXT), CAST(?5 AS TEXT), CAST(?6 AS TEXT), CAST(?7 AS TEXT), CAST(?8 AS BIGINT)
WHERE EXISTS (SELECT 1 FROM bridge_links WHERE id = ?1) ON CONFLICT DO NOTHING`

	archiveAfterSQL = roomArchiveColumns + `room = ? AND seq > ? ORDER BY seq LIMIT ?`
	pruneLinkedSQL  = `DELETE FROM bridge_link_messages WHERE at < ? AND link IN (SELECT l.id FROM bridge_links l JOIN bridge_rooms r ON r.id = l.room WHERE r.gateway = ?)`
	pruneReactedSQL = `DELETE FROM bridge_link_reactions WHERE link IN (SELECT l.id FROM bridge_links l JOIN bridge_rooms r ON r.id = l.room WHERE r.gateway = ?)
  AND NOT EXISTS (SELECT 1 FROM bridge_link_messages m WHERE m.link = bridge_link_reactions.link AND m.entry = bridge_link_reactions.entry)`
)

func readLink(row scan.Row) (l Link, err error) {
	var address string
	var seenAt int64
	if err = row.Scan(&l.ID, &l.Room, &l.Login, &address, &l.People, &l.Sent, &l.Seen, &seenAt, &l.Cause, &l.Topics.Channel, &l.Topics.Room, &l.Topics.Known); err != nil {
		return l, err
	}
	l.SeenAt = moment(seenAt)
	l.Address, err = jid.Parse(address)
	return l, err
}

func readLinkMessage(row scan.Row) (m LinkMessage, err error) {
	var at int64
	err = row.Scan(&m.Link, &m.Entry, &m.Message, &m.There, &m.ThereID, &m.Author, &m.Nick, &at)
	m.At = moment(at)
	return m, err
}

// Links are all links of the gateway.
func (s *Store) Links(ctx context.Context) ([]Link, error) {
	list, err := scan.Rows(ctx, s.engine.Reader(), readLink, linksSQL, s.id)
	if err != nil {
		return nil, fmt.Errorf("read linked rooms: %w", err)
	}
	return list, nil
}

// AddLink adds a link, which begins with what is said from now on; added is false where there is one of the two rooms already.
func (s *Store) AddLink(ctx context.Context, l Link) (row Link, added bool, err error) {
	err = s.engine.Write(ctx, func(tx *sql.Tx) error {
		result, err := tx.Exec(addLinkSQL, l.Room, string(l.Login), l.Address.String(), l.People, micros(l.SeenAt), l.Cause)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return err
		}
		added = n > 0
		row, err = readLink(tx.QueryRow(linkSQL, l.Room, l.Address.String()))
		return err
	})
	if err != nil {
		return row, false, fmt.Errorf("link room %s: %w", l.Address, err)
	}
	return row, added, nil
}

// DropLink removes a link and what is known of its messages.
func (s *Store) DropLink(ctx context.Context, id int64) error { return s.exec(ctx, dropLinkSQL, id) }

// SetLinkCause keeps why a link does not work.
func (s *Store) SetLinkCause(ctx context.Context, id int64, cause string) error {
	return s.exec(ctx, linkCauseSQL, cause, id)
}

// LinkProgress keeps which messages of the channel are in the linked room, and how far a link has come in both rooms.
func (s *Store) LinkProgress(ctx context.Context, l Link, list []LinkMessage) error {
	err := s.engine.Write(ctx, func(tx *sql.Tx) error {
		if err := addLinkMessages(tx, list); err != nil {
			return err
		}
		_, err := tx.Exec(linkProgressSQL, l.Sent, l.Seen, micros(l.SeenAt), l.Topics.Channel, l.Topics.Room, l.Topics.Known, l.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep how far a link has come: %w", err)
	}
	return nil
}

func addLinkMessages(tx *sql.Tx, list []LinkMessage) error {
	return each(tx, addLinkMessageSQL, list, func(m LinkMessage) []any {
		return []any{m.Link, m.Entry, m.Message, m.There, m.ThereID, m.Author, m.Nick, micros(m.At)}
	})
}

// commitLinks is the part of Commit that is about links.
func (s *Store) commitLinks(tx *sql.Tx, batch *Batch) error {
	if err := addLinkMessages(tx, batch.Links.Messages); err != nil {
		return err
	}
	for _, r := range batch.Links.Reactions {
		if _, err := tx.Exec(linkUnreactSQL, r.Link, r.Entry, r.Author); err != nil {
			return err
		}
		if err := each(tx, linkReactSQL, r.Emoji, func(e string) []any { return []any{r.Link, r.Entry, r.Author, e} }); err != nil {
			return err
		}
	}
	return nil
}

// LinkedEntry finds a message by its id in the channel's archive, else by its own id in the channel's room.
func (s *Store) LinkedEntry(ctx context.Context, link int64, id string) (LinkMessage, bool, error) {
	return s.linked(ctx, id, lookup{linkByEntrySQL, []any{link, id}}, lookup{linkByMessageSQL, []any{link, id}})
}

// LinkedThere finds a message by the id that the linked room has given it, else by its own id there. Of several with one id
// that of the author is meant.
func (s *Store) LinkedThere(ctx context.Context, link int64, id, author string) (LinkMessage, bool, error) {
	return s.linked(ctx, id, lookup{linkByThereIDSQL, []any{link, id}}, lookup{linkByThereSQL, []any{link, id, author}})
}

// LinkedOf finds a message by its own id in the linked room and the nickname that its author had there; of several one to which the room gave no id.
func (s *Store) LinkedOf(ctx context.Context, link int64, there, nick string) (LinkMessage, bool, error) {
	if there == "" {
		return LinkMessage{}, false, nil
	}
	m, ok, err := oneRow(readLinkMessage(s.engine.Reader().QueryRowContext(ctx, linkByNickSQL, link, there, nick)))
	if err != nil {
		return m, false, fmt.Errorf("look up a message of a linked room: %w", err)
	}
	return m, ok, nil
}

// lookup is a query for one message.
type lookup struct {
	query string
	args  []any
}

// linked makes queries until one finds a message. Each is read before the next is made: with a row of one still open, the next one would wait for
// a second connection of the pool, and for ever where all the others do the same.
func (s *Store) linked(ctx context.Context, id string, queries ...lookup) (m LinkMessage, ok bool, err error) {
	if id == "" {
		return LinkMessage{}, false, nil
	}
	for _, q := range queries {
		m, ok, err = oneRow(readLinkMessage(s.engine.Reader().QueryRowContext(ctx, q.query, q.args...)))
		if err != nil {
			return m, false, fmt.Errorf("look up a message of a linked room: %w", err)
		}
		if ok {
			break
		}
	}
	return m, ok, nil
}

// LinkReactions are the reactions of the linked room's people to a message, by author.
func (s *Store) LinkReactions(ctx context.Context, link int64, entry string) (map[string][]string, error) {
	sets := map[string][]string{}
	_, err := scan.Rows(ctx, s.engine.Reader(), func(row scan.Row) (_ struct{}, err error) {
		var author, emoji string
		if err = row.Scan(&author, &emoji); err == nil {
			sets[author] = append(sets[author], emoji)
		}
		return struct{}{}, err
	}, linkReactionsSQL, link, entry)
	if err != nil {
		return nil, fmt.Errorf("look up reactions of a linked room: %w", err)
	}
	return sets, nil
}

// ArchiveAfter are the next entries of a room's archive, in order.
func (s *Store) ArchiveAfter(ctx context.Context, room, seq int64, limit int) ([]Archived, error) {
	list, err := scan.Rows(ctx, s.engine.Reader(), readRoomArchive, archiveAfterSQL, room, seq, limit)
	if err != nil {
		return nil, fmt.Errorf("read archive: %w", err)
	}
	return list, nil
}
