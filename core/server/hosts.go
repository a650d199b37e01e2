package server

import (
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
)

// host is one served domain with its features.
type host struct {
	*router.Host
	linked
	domain jid.JID
}

// newHost creates a host with its features and attaches it to the router.
func newHost(r *router.Router, domain jid.JID, a assembly) (*host, error) {
	h := &host{Host: router.NewHost(r, domain, router.HostOptions{
		Accounts: a.store, Log: a.log, Strict: router.Strict{Unknown: a.config.Server.Silent, Requests: a.config.Server.Private},
	}), domain: domain}
	h.linked = link(h.Host, a)
	h.Use(features(h.Host, a, h.linked)...)
	if err := r.Attach(domain, h.Host); err != nil {
		return nil, fmt.Errorf("serve %s: %w", domain, err)
	}
	return h, nil
}

// beforeLogin returns the BeforeLogin of the first feature that has one, or nil.
func (h *host) beforeLogin() *router.BeforeLogin {
	for _, f := range h.Features() {
		if f.BeforeLogin != nil {
			return f.BeforeLogin
		}
	}
	return nil
}
