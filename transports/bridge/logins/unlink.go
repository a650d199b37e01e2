package logins

import (
	"context"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Unlink removes a login with all that belongs to it. It is marked first, so that after a crash the next
// start completes the removal; then the owner's roster is cleared, then the rows are removed.
func (l *Logins) Unlink(ctx context.Context, login *Login) error {
	login.markUnlinking()
	if err := l.store.PutStatus(ctx, login.ID, tables.StatusUnlinking, ""); err != nil {
		return fmt.Errorf("unlink: %w", err)
	}
	return l.finishUnlink(ctx, login)
}

func (l *Logins) finishUnlink(ctx context.Context, login *Login) error {
	login.stop()
	if err := l.roster.RemoveContacts(ctx, login); err != nil {
		return fmt.Errorf("unlink: %w", err)
	}
	if err := l.forget(ctx, login); err != nil {
		return err
	}
	if len(l.Of(login.Owner)) == 0 {
		l.roster.RemoveGateway(ctx, login.Owner)
	}
	return nil
}

// RemoveOwner removes all logins of a user whose own account is being deleted: there is no roster to
// be cleared.
func (l *Logins) RemoveOwner(ctx context.Context, who jid.JID) error {
	who = who.Bare()
	l.noteRemoval(who, l.env.Now())
	for _, login := range l.Of(who) {
		login.markUnlinking()
		login.stop()
		if err := l.forget(ctx, login); err != nil {
			return err
		}
	}
	return nil
}

// forget removes a login whose client has ended, with all rows.
func (l *Logins) forget(ctx context.Context, login *Login) error {
	removed, err := l.rooms.Remove(ctx, login)
	if err != nil {
		return fmt.Errorf("unlink: %w", err)
	}
	l.remove(login)
	if err := l.store.Unlink(ctx, login.ID); err != nil {
		return fmt.Errorf("unlink: %w", err)
	}
	removed()
	l.env.Log.Info("account unlinked", "login", login.ID, "owner", login.Owner.String())
	return nil
}

func (l *Login) markUnlinking() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.row.Status = tables.StatusUnlinking
}
