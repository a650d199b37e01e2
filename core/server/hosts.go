package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/dragoman-im/dragoman/config"
	coredisco "github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/features/conference"
	"github.com/dragoman-im/dragoman/core/features/disco"
	"github.com/dragoman-im/dragoman/core/identity"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/store/authentication"
)

// host is one served domain with its features.
type host struct {
	*router.Host
	linked
	domain     jid.JID
	accounts   *authentication.Accounts
	identity   *identity.Host
	conference *conference.Service // nil: the host has no rooms
}

// newHost creates a host with its features and attaches it to the router.
func newHost(r *router.Router, domain jid.JID, a assembly) (*host, error) {
	a.accounts = authentication.New(a.store, domain, authentication.Options{Limits: recordLimits(a.config), Log: a.log})
	h := &host{domain: domain, accounts: a.accounts}
	h.identity = newIdentity(h, a)
	o := router.HostOptions{Accounts: a.store, Log: a.log, Strict: router.Strict{Unknown: a.config.Server.Silent, Requests: a.config.Server.Private}}
	if h.identity.Finds() {
		o.Accounts = knownAccounts{a.store, h.identity}
	}
	h.Host = router.NewHost(r, domain, o)
	a.identity = h.identity
	h.linked = link(h.Host, a)
	h.Use(features(h.Host, a, h.linked)...)
	if err := r.Attach(domain, h.Host); err != nil {
		return nil, fmt.Errorf("serve %s: %w", domain, err)
	}
	return h, errors.Join(h.newDirectory(r, a), h.newProxy(r, a), h.newPubsub(r, a))
}

// newDirectory serves the host's user directory.
func (h *host) newDirectory(r *router.Router, a assembly) error {
	return h.serve(r, a, servedDomain{
		label: a.config.Server.Directory, name: "User directory", identity: coredisco.Identity{Category: "directory", Type: "user", Name: "User directory"},
		features: []router.Feature{h.search.Service()},
	})
}

// servedDomain is a domain below a host that has no accounts: it answers requests.
type servedDomain struct {
	label    string // the first part of the domain; empty: it is not served
	name     string // in the host's disco#items
	identity coredisco.Identity
	features []router.Feature
}

// serve attaches a domain below the host, unless the configuration gives it to a component or gateway.
func (h *host) serve(r *router.Router, a assembly, d servedDomain) error {
	domain, ok := h.below(d.label, d.name, a.config, a.log)
	if !ok {
		return nil
	}
	return h.serveAt(domain, r, a, d)
}

// serveAt is serve for a domain that can be served.
func (h *host) serveAt(domain jid.JID, r *router.Router, a assembly, d servedDomain) error {
	below := router.NewHost(r, domain, router.HostOptions{Accounts: nobody{}, Log: a.log})
	below.Use(append(d.features, disco.New(below, disco.Options{Identity: d.identity, Node: softwareNode}).Feature())...)
	if err := r.Attach(domain, below); err != nil {
		return fmt.Errorf("serve %s: %w", domain, err)
	}
	h.disco.AddItem(domain, d.name)
	return nil
}

// below returns a domain below the host. ok is false if the label is empty, or the domain cannot be served.
func (h *host) below(label, name string, c config.Config, log *slog.Logger) (domain jid.JID, ok bool) {
	if label == "" {
		return jid.JID{}, false
	}
	domain, err := jid.Parse(label + "." + h.domain.Domain())
	if err != nil {
		log.Warn("domain is not served: nothing can be below this host", "host", h.domain, "for", name) // it is an IP address
		return jid.JID{}, false
	}
	if c.Named(domain.Domain()) {
		log.Warn("domain is not served: a component or gateway has it", "domain", domain, "for", name)
		return jid.JID{}, false
	}
	return domain, true
}

// nobody are the accounts of a domain that has none.
type nobody struct{}

func (nobody) Exists(context.Context, jid.JID) (bool, error) { return false, nil }

// beforeLogin returns the BeforeLogin of the first feature that answers clients that have not logged in, or nil.
func (h *host) beforeLogin() *router.BeforeLogin {
	for _, f := range h.Features() {
		if f.BeforeLogin != nil && f.BeforeLogin.Answer != nil {
			return f.BeforeLogin
		}
	}
	return nil
}
