package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/archives"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

const offlineLikeSQL = `SELECT stanza FROM offline WHERE account = ? AND stanza LIKE ? ESCAPE '\' ORDER BY id DESC LIMIT 1000`

// PrepareRedelivery is called for a message that a gateway may have delivered before a crash. It reports
// whether the message waits in offline storage, so that it must not be delivered again. Where it does
// not, and has no archive id by which the archive knows it, its entry in the receiver's archive is deleted, as the
// message will be archived again.
func (s *Store) PrepareRedelivery(ctx context.Context, st *stanza.Stanza) (bool, error) {
	waits := false
	account := st.To.Bare()
	err := s.archives.change(ctx, account, func(tx *sql.Tx, _ *archives.Writer) (err error) {
		if waits, err = isOffline(tx, account, st); waits || err != nil || st.Entry != "" {
			return err
		}
		return archives.DeleteMessage(tx, account, st)
	})
	if err != nil {
		return false, fmt.Errorf("look for message %s of %s: %w", st.ID, st.To.Bare(), err)
	}
	return waits, nil
}

// ArchiveReceived archives a message that its receiver, an account, has got under the id Entry, as the crash of the
// process may have prevented that. Where the archive has it already, or the account does not exist, nothing is changed.
func (s *Store) ArchiveReceived(ctx context.Context, st *stanza.Stanza) error {
	account := st.To.Bare()
	id, ok := archive.ParseID(st.Entry)
	if account.Local() == "" || !ok {
		return nil
	}
	return s.archiveLate(ctx, account, id, message.WithStanzaID(message.WithoutStanzaID(st, account), account, st.Entry))
}

// ArchiveSentElsewhere is ArchiveReceived for a message that an account has sent with a network's own client.
func (s *Store) ArchiveSentElsewhere(ctx context.Context, st *stanza.Stanza) error {
	id, ok := archive.ParseID(st.Entry)
	if !ok {
		return nil
	}
	return s.archiveLate(ctx, st.From.Bare(), id, st)
}

// HasArchived reports whether the archive of an account has an entry.
func (s *Store) HasArchived(ctx context.Context, account jid.JID, entry string) (bool, error) {
	_, err := s.Query(ctx, account, archive.Filter{IDs: []string{entry}}, archive.Page{Max: 1})
	if errors.Is(err, archive.ErrNoEntry) {
		return false, nil
	}
	return err == nil, err
}

// archiveLate archives a message with the time in its id, unless it is archived already.
func (s *Store) archiveLate(ctx context.Context, account jid.JID, id archive.ID, st *stanza.Stanza) error {
	result := make(chan error, 1)
	s.Archive(account, archive.Entry{ID: st.Entry, At: time.UnixMicro(id.Micros()), Stanza: st}, func(err error) { result <- err })
	select {
	case err := <-result:
		if err != nil && !errors.Is(err, archive.ErrTwice) {
			return fmt.Errorf("archive message %s of %s: %w", st.ID, account, err)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ArchiveSent queues a message that an account has sent, under the id Entry, for its archive; without an id there is
// nothing to do.
func (s *Store) ArchiveSent(st *stanza.Stanza) {
	if st.Entry == "" {
		return
	}
	account := st.From.Bare()
	s.Archive(account, archive.Entry{ID: st.Entry, At: time.Now(), Stanza: st}, func(err error) {
		if err != nil && !errors.Is(err, archive.ErrTwice) && !temporary(err) {
			s.log.Error("message not archived", "account", account, "err", err)
		}
	})
}

// isOffline reports whether a message of the same sender and id waits for an account.
func isOffline(tx *sql.Tx, account jid.JID, st *stanza.Stanza) (bool, error) {
	list, err := scan.Rows(context.Background(), tx, func(row scan.Row) (text string, err error) {
		err = row.Scan(&text)
		return text, err
	}, offlineLikeSQL, account.String(), "%"+EscapeLike(st.ID)+"%")
	for _, text := range list {
		if had, err := stanza.Parse(text); err == nil && had.ID == st.ID && had.From == st.From {
			return true, nil
		}
	}
	return false, err
}

// EscapeLike makes a text one that LIKE compares as it is.
func EscapeLike(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
}
