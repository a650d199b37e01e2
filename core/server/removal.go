package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
)

// errStopping ends a removal at shutdown; the next start continues it.
var errStopping = errors.New("the server stops")

// wakeRemovals makes periodic delete marked accounts at once. It does not block.
func (s *Server) wakeRemovals(jid.JID) {
	select {
	case s.signals.removed <- struct{}{}:
	default:
	}
}

// removals deletes the accounts that were marked as deleted. A failed deletion is repeated at the next
// call; logged holds the accounts whose failure was logged already.
func (s *Server) removals(ctx context.Context, logged map[jid.JID]bool) {
	list, err := s.store.Removals(ctx)
	if err != nil && ctx.Err() == nil {
		s.log.Error("accounts to be deleted not listed", "err", err)
	}
	for _, account := range list {
		err := s.remove(ctx, account)
		switch {
		case err == nil:
			delete(logged, account)
			s.log.Info("account deleted", "account", account)
		case ctx.Err() == nil && !logged[account]:
			logged[account] = true
			s.log.Error("account not deleted yet, will be tried again", "account", account, "err", err)
		}
	}
}

// remove deletes an account: its sessions, its data in the services, its subscriptions, and its rows.
// Until the rows are deleted every step can be repeated.
func (s *Server) remove(ctx context.Context, account jid.JID) error {
	if err := s.rights.Reload(ctx); err != nil { // while it is marked, it has none; whoever gets the name next has none either
		return err
	}
	services := s.attachedServices()
	for _, a := range services {
		select {
		case <-a.Started():
		case <-ctx.Done():
			return errStopping
		}
	}
	h := s.host(account)
	if h == nil { // its domain is no longer served
		return s.deleteAccount(ctx, account)
	}
	removed := h.Remove(account, "not-authorized", "the account has been deleted") // XEP-0077 §3.2
	h.commands.Forget(account)
	h.search.Forget(account)
	h.events.spaces.Forget(account)
	for _, a := range services {
		if err := a.RemoveUser(ctx, account); err != nil {
			return fmt.Errorf("remove from %s: %w", a.Endpoint.Domain(), err)
		}
	}
	end, err := h.roster.EndSubscriptions(ctx, removed)
	if err != nil {
		return err
	}
	end(s.router.Route)
	return s.deleteAccount(ctx, account)
}

// deleteAccount deletes what the server itself has of an account: what others grant to it, its files, its rows.
func (s *Server) deleteAccount(ctx context.Context, account jid.JID) error {
	if err := s.revoke(ctx, account); err != nil {
		return err
	}
	if err := s.http.uploads.RemoveAccount(ctx, account); err != nil {
		return fmt.Errorf("delete files of %s: %w", account, err)
	}
	return s.deleteRows(ctx, account)
}

// deleteRows deletes what is stored, and then what is in memory about it.
func (s *Server) deleteRows(ctx context.Context, account jid.JID) error {
	if err := s.store.DeleteAccount(ctx, account); err != nil {
		return err
	}
	return s.forget(ctx, account)
}

// revoke takes back what the rosters of other accounts grant to an account that is being deleted: the name can be registered again.
func (s *Server) revoke(ctx context.Context, account jid.JID) error {
	holders, err := s.store.RosterHolders(ctx, account)
	if err != nil {
		return err
	}
	for _, holder := range holders {
		h := s.host(holder)
		if h == nil || holder == account {
			continue
		}
		if err := h.roster.Revoke(ctx, holder, account); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) host(account jid.JID) *host {
	for _, h := range s.hosts {
		if h.domain.Domain() == account.Domain() {
			return h
		}
	}
	return nil
}
