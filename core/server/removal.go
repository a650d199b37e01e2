package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
)

// errStopping ends a removal that the next start takes up.
var errStopping = errors.New("the server stops")

// noteRemoval makes the periodic work look for accounts to be deleted at once.
func (s *Server) noteRemoval(jid.JID) {
	select {
	case s.removed <- struct{}{}:
	default:
	}
}

// removals ends the accounts whose deletion was asked for, by their owners or from the command
// line. What fails is tried again; logged is what of that is in the log already.
func (s *Server) removals(ctx context.Context, logged map[jid.JID]bool) {
	list, err := s.store.Removals(ctx)
	if err != nil && ctx.Err() == nil {
		s.log.Error("look for accounts to be deleted", "err", err)
	}
	for _, account := range list {
		err := s.remove(ctx, account)
		switch {
		case err == nil:
			delete(logged, account)
			s.log.Info("account deleted", "account", account)
		case ctx.Err() == nil && !logged[account]:
			logged[account] = true
			s.log.Error("an account cannot be deleted yet; that is tried again", "account", account, "err", err)
		}
	}
}

// remove ends an account: its sessions, what the services keep about it, its subscriptions, its rows.
// Until the rows are deleted all of it can be repeated.
func (s *Server) remove(ctx context.Context, account jid.JID) error {
	for _, a := range s.services {
		select {
		case <-a.Started():
		case <-ctx.Done():
			return errStopping
		}
	}
	h := s.host(account)
	if h == nil { // of a domain that is no longer served
		return s.store.DeleteAccount(ctx, account)
	}
	removed := h.Remove(account, "not-authorized", "the account has been deleted") // XEP-0077 §3.2
	for _, a := range s.services {
		if err := a.RemoveUser(ctx, account); err != nil {
			return fmt.Errorf("remove from %s: %w", a.Endpoint.Domain(), err)
		}
	}
	end, err := h.roster.EndSubscriptions(ctx, removed)
	if err != nil {
		return err
	}
	end(s.router.Route)
	return s.store.DeleteAccount(ctx, account)
}

func (s *Server) host(account jid.JID) *host {
	for _, h := range s.hosts {
		if h.domain.Domain() == account.Domain() {
			return h
		}
	}
	return nil
}
