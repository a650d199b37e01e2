package authentication

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

const tokensSQL = `SELECT fresh, mechanism, seed, issued, expires, count,
coalesce((SELECT backend FROM identities i WHERE i.account = client_tokens.account), '') FROM client_tokens WHERE account = ? AND client = ?`

// Tokens implements sasl.Clients.
func (a *Accounts) Tokens(ctx context.Context, username, client string) ([]sasl.Token, error) {
	account, err := jid.New(username, a.host, "")
	if err != nil {
		return nil, nil // no account has such a name
	}
	// A context that may end would cost more than the query.
	list, err := scan.Rows(context.WithoutCancel(ctx), a.store.Reader(), scanToken, tokensSQL, account.String(), client)
	if err != nil {
		return nil, fmt.Errorf("read tokens of %s: %w", account, err)
	}
	return list, nil
}

func scanToken(row scan.Row) (t sasl.Token, err error) {
	var issued, expires, count int64
	err = row.Scan(&t.Fresh, &t.Mechanism, &t.Seed, &issued, &expires, &count, &t.Backend)
	t.Issued, t.Expires, t.Count = time.UnixMicro(issued), time.UnixMicro(expires), uint64(count)
	return t, err
}

const (
	// The row is locked on PostgreSQL: another process may use the same token.
	tokenSQL = `SELECT count FROM client_tokens WHERE account = ? AND client = ? AND seed = ? /*postgres FOR UPDATE*/`

	deleteTokenSQL = `DELETE FROM client_tokens WHERE account = ? AND client = ? AND seed = ?`

	deleteOtherTokensSQL = `DELETE FROM client_tokens WHERE account = ? AND client = ? AND seed <> ? AND (expires <= ? OR NOT fresh)`

	useTokenSQL = `UPDATE client_tokens SET fresh = FALSE, count = ? WHERE account = ? AND client = ? AND seed = ?`
)

// Use implements sasl.Clients.
func (a *Accounts) Use(ctx context.Context, username, client string, u sasl.Use) error {
	account, err := jid.New(username, a.host, "")
	if err != nil {
		return sasl.ErrTokenGone
	}
	key, seed := account.String(), u.Token.Seed
	return a.store.Partition(key).Write(ctx, func(tx *sql.Tx) error {
		var count uint64
		err := tx.QueryRow(tokenSQL, key, client, seed).Scan(&count)
		if errors.Is(err, sql.ErrNoRows) || err == nil && count != u.Token.Count {
			return sasl.ErrTokenGone // it was used or revoked after it was looked up
		}
		if err == nil && u.Invalidate {
			_, err = tx.Exec(deleteTokenSQL, key, client, seed)
		} else if err == nil {
			// XEP-0484 §3.5: tokens that expire earlier are not valid any more. The one that was in use before ends in any case: after
			// the life of tokens was made shorter it may be the one that expires later.
			if _, err = tx.Exec(deleteOtherTokensSQL, key, client, seed, u.Token.Expires.UnixMicro()); err == nil {
				_, err = tx.Exec(useTokenSQL, u.Count, key, client, seed)
			}
		}
		if err != nil {
			return fmt.Errorf("use a token of %s: %w", account, err)
		}
		return nil
	})
}

const (
	deleteFreshSQL = `DELETE FROM client_tokens WHERE account = ? AND client = ? AND fresh`

	insertTokenSQL = `INSERT INTO client_tokens (account, client, fresh, mechanism, seed, issued, expires, count) VALUES (?, ?, TRUE, ?, ?, ?, ?, 0)`
)

// Issue implements sasl.Clients.
func (a *Accounts) Issue(ctx context.Context, username string, agent sasl.UserAgent, t sasl.Token, proved sasl.Proved) error {
	account, err := jid.New(username, a.host, "")
	if err != nil {
		return sasl.ErrTokenGone
	}
	key := account.String()
	return a.store.Partition(key).Write(ctx, func(tx *sql.Tx) error {
		if err := stillProved(tx, account, agent.ID, proved); err != nil {
			return err
		}
		if err := a.seen(tx, account, agent, accessBy(proved)); err != nil {
			return err
		}
		if err := a.bound(tx, account); err != nil {
			return err
		}
		if _, err := tx.Exec(deleteFreshSQL, key, agent.ID); err != nil {
			return fmt.Errorf("replace a token of %s: %w", account, err)
		}
		if _, err := tx.Exec(insertTokenSQL, key, agent.ID, t.Mechanism, t.Seed, t.Issued.UnixMicro(), t.Expires.UnixMicro()); err != nil {
			return fmt.Errorf("store a token of %s: %w", account, err)
		}
		return nil
	})
}

const addKeySQL = `INSERT INTO credentials (account, hash, salt, iterations, stored_key, server_key) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (account, hash) DO NOTHING`

// AddKey implements sasl.Keys.
func (a *Accounts) AddKey(ctx context.Context, username string, h sasl.Hash, k sasl.Key, p sasl.Proved) error {
	account, err := jid.New(username, a.host, "")
	if err != nil {
		return sasl.ErrTokenGone
	}
	if err := k.Valid(h); err != nil {
		return fmt.Errorf("add a key to %s: %w", account, err)
	}
	return a.store.Partition(account.String()).Write(ctx, func(tx *sql.Tx) error {
		if err := stillProved(tx, account, "", p); err != nil {
			return err
		}
		if _, err := tx.Exec(addKeySQL, account.String(), h.String(), k.Salt, k.Iterations, k.StoredKey, k.ServerKey); err != nil {
			return fmt.Errorf("add a key to %s: %w", account, err)
		}
		return nil
	})
}

const (
	lockEnabledSQL = `SELECT jid FROM accounts WHERE jid = ? AND disabled IS NULL /*postgres FOR NO KEY UPDATE*/`

	backendSQL = `SELECT 1 FROM identities WHERE account = ? AND backend = ?`

	storedKeySQL = `SELECT stored_key FROM credentials WHERE account = ? AND hash = ?`
)

// stillProved checks that what a client has logged in with is still valid, and locks the account: a token that is issued after a change
// of the password or a revocation would survive it.
func stillProved(tx *sql.Tx, account jid.JID, client string, p sasl.Proved) error {
	var text string
	err := tx.QueryRow(lockEnabledSQL, account.String()).Scan(&text)
	if err == nil && p.Seed != nil {
		var count int64
		err = tx.QueryRow(tokenSQL, account.String(), client, p.Seed).Scan(&count)
	} else if err == nil && p.Backend != "" {
		var one int
		err = tx.QueryRow(backendSQL, account.String(), p.Backend).Scan(&one)
	} else if err == nil {
		var stored []byte
		err = tx.QueryRow(storedKeySQL, account.String(), p.Hash.String()).Scan(&stored)
		if err == nil && subtle.ConstantTimeCompare(stored, p.StoredKey) != 1 {
			err = sql.ErrNoRows
		}
	}
	if errors.Is(err, sql.ErrNoRows) {
		return sasl.ErrTokenGone
	}
	if err != nil {
		return fmt.Errorf("check what a client of %s has proved: %w", account, err)
	}
	return nil
}
