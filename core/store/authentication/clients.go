package authentication

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/features/clients"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

// Kinds of access, as the table has them.
const (
	byPassword    = "password"
	byGrant       = "grant"
	byCertificate = "certificate"
	byToken       = "" // tokens have a table of their own
)

// access returns the kind of access that a login shows.
func access(id sasl.Identity) string {
	switch {
	case id.ByToken():
		return byToken
	case id.Mechanism == sasl.OAuthBearer:
		return byGrant
	case id.Mechanism == sasl.External:
		return byCertificate
	}
	return byPassword
}

// accessBy is access for what was proved. Of an account of a back end LoggedIn notes the kind.
func accessBy(p sasl.Proved) string {
	if p.Seed != nil || p.Backend != "" {
		return byToken
	}
	return byPassword
}

const seenSQL = `INSERT INTO clients (account, client, id, software, device, first_seen, last_seen, access)
SELECT jid, ?2, ?3, ?4, ?5, ?6, ?6, ?7 FROM accounts WHERE jid = ?1
ON CONFLICT (account, client) DO UPDATE SET software = excluded.software, device = excluded.device, last_seen = excluded.last_seen,
access = CASE WHEN excluded.access = '' THEN clients.access ELSE excluded.access END`

// seen notes that a client has logged in.
func (a *Accounts) seen(tx *sql.Tx, account jid.JID, agent sasl.UserAgent, access string) error {
	at := a.now().UnixMicro()
	if a.limits.Load().Keep <= 0 {
		agent.Software, agent.Device = "", ""
	}
	if _, err := tx.Exec(seenSQL, account.String(), agent.ID, stanza.NewID(), agent.Software, agent.Device, at, access); err != nil {
		return fmt.Errorf("note a client of %s: %w", account, err)
	}
	return nil
}

// LoggedIn notes that a client has logged in. It does not wait.
func (a *Accounts) LoggedIn(id sasl.Identity, agent sasl.UserAgent) {
	if agent.ID == "" || a.limits.Load().Keep <= 0 || a.noted.skip(id, agent, a.now()) {
		return
	}
	a.store.Partition(id.JID.String()).WriteAsync(func(tx *sql.Tx) error {
		if err := a.seen(tx, id.JID, agent, access(id)); err != nil {
			return err
		}
		return a.bound(tx, id.JID)
	}, func(err error) {
		if err != nil {
			a.noted.forget(id.JID.String(), agent.ID)
		}
		if err != nil && !stanza.Temporary(err) { // the store logs those
			a.log.Error("client not noted", "account", id.JID, "err", err)
		}
	})
}

// boundSQL deletes all but the clients that were seen last.
const boundSQL = `DELETE FROM clients WHERE account = ?1 AND client NOT IN (
	SELECT client FROM clients WHERE account = ?1 ORDER BY last_seen DESC, client LIMIT ?2)`

// bound limits the number of an account's clients.
func (a *Accounts) bound(tx *sql.Tx, account jid.JID) error {
	r, err := tx.Exec(boundSQL, account.String(), a.limits.Load().Clients)
	if err != nil {
		return fmt.Errorf("limit the clients of %s: %w", account, err)
	}
	if n, err := r.RowsAffected(); err == nil && n > 0 {
		a.forgotten.Add(uint64(n))
	}
	return nil
}

// clientsSQL lists the clients that have access now.
const clientsSQL = `SELECT client, id, software, device, first_seen, last_seen, access,
(SELECT count(*) FROM client_tokens t WHERE t.account = c.account AND t.client = c.client AND t.expires > ?2)
FROM clients c WHERE account = ?1 ORDER BY last_seen DESC, client`

// Clients implements clients.Store.
func (a *Accounts) Clients(ctx context.Context, account jid.JID) ([]clients.Client, error) {
	list, err := scan.Rows(ctx, a.store.Reader(), func(row scan.Row) (c clients.Client, err error) {
		var first, last, tokens int64
		var access string
		err = row.Scan(&c.Agent, &c.ID, &c.Software, &c.Device, &first, &last, &access, &tokens)
		c.First, c.Last = time.UnixMicro(first).UTC(), time.UnixMicro(last).UTC()
		c.Password, c.Grant, c.Token = access == byPassword, access == byGrant, tokens > 0
		return c, err
	}, clientsSQL, account.String(), a.now().UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("list clients of %s: %w", account, err)
	}
	return list, nil
}

const (
	// The row is locked on PostgreSQL: a login may be changing it.
	clientSQL = `SELECT client, access FROM clients WHERE account = ? AND id = ? /*postgres FOR UPDATE*/`

	deleteClientSQL = `DELETE FROM clients WHERE account = ? AND client = ?`
)

// Revoke implements clients.Store.
func (a *Accounts) Revoke(ctx context.Context, account jid.JID, id string) (agent string, err error) {
	err = a.store.Partition(account.String()).Write(ctx, func(tx *sql.Tx) error {
		var access string
		err := tx.QueryRow(clientSQL, account.String(), id).Scan(&agent, &access)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return clients.ErrNoClient
		case err == nil && access == byPassword:
			return clients.ErrPassword
		case err == nil:
			_, err = tx.Exec(deleteClientSQL, account.String(), agent)
		}
		if err != nil {
			return fmt.Errorf("revoke access of a client of %s: %w", account, err)
		}
		return nil
	})
	if err == nil {
		a.noted.forget(account.String(), agent)
	}
	return agent, err
}

const pruneSQL = `DELETE FROM clients WHERE last_seen < ?1 AND NOT EXISTS (
	SELECT 1 FROM client_tokens t WHERE t.account = clients.account AND t.client = clients.client AND t.expires > ?2)`

// Prune deletes what is known of clients that were last seen before a time and have no valid token.
func Prune(ctx context.Context, s *store.Store, before, now time.Time) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(pruneSQL, before.UnixMicro(), now.UnixMicro()); err != nil {
			return fmt.Errorf("delete clients that were not seen: %w", err)
		}
		return nil
	})
}

// Limits are the limits of an account's clients; zero fields of Clients are DefaultClients.
type Limits struct {
	Clients int           // of one account
	Keep    time.Duration // how long after its last login a client is known; zero: only clients that have tokens, without their names
}

// Options are the parameters of New.
type Options struct {
	Limits Limits
	Log    *slog.Logger // nil: slog.Default
}

// DefaultClients is the default of Limits.Clients.
const DefaultClients = 50

// SetLimits replaces the limits.
func (a *Accounts) SetLimits(l Limits) {
	l.Clients = cmp.Or(l.Clients, DefaultClients)
	a.limits.Store(&l)
}

// Limited returns the counter of clients that were deleted because their account has too many.
func (a *Accounts) Limited() *atomic.Uint64 { return &a.forgotten }
