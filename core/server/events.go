package server

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/accounts"
	coredisco "github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/features/avatar"
	"github.com/dragoman-im/dragoman/core/features/blocking"
	"github.com/dragoman-im/dragoman/core/features/bookmarks"
	"github.com/dragoman-im/dragoman/core/features/capabilities"
	"github.com/dragoman-im/dragoman/core/features/pep"
	"github.com/dragoman-im/dragoman/core/features/pubsubdomain"
	"github.com/dragoman-im/dragoman/core/features/push"
	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/features/serverinfo"
	"github.com/dragoman-im/dragoman/core/features/spaces"
	"github.com/dragoman-im/dragoman/core/features/vcard"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/notification"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/pushes"
)

// stopEventsWait is how long the server waits for changes of nodes when it stops; its clients are gone by then.
const stopEventsWait = 5 * time.Second

// events are the features of a host that notify sessions of what others publish.
type events struct {
	capabilities *capabilities.Capabilities
	pep          *pep.PEP
	domain       *pubsubdomain.Service
	spaces       *spaces.Spaces
	bookmarks    *bookmarks.Bookmarks
	avatars      *avatar.Avatars
	push         *push.Push
	vcard        *vcard.VCard
	info         *serverinfo.Info
	at           jid.JID // of the publish-subscribe service; zero if there is none
}

// newEvents creates the features.
func newEvents(h *router.Host, a assembly, l linked) events {
	c := a.config.Pubsub
	kept := bookmarks.New(a.store, a.log)
	read := pushes.New(a.store)
	pushed := push.New(h, read, push.Options{
		Devices: a.config.Push.Devices, Errors: a.config.Push.Errors, Contents: a.config.Push.Contents, Log: a.log,
		Rooms: a.shared.rooms, Blocks: l.blocking.Blocks, Bookmarks: read,
	})
	known := capabilities.New(h)
	var e events
	e = events{
		capabilities: known, bookmarks: kept, push: pushed,
		pep: pep.New(h, a.nodes, pep.Options{
			Contacts: contacts{l.blocking.Subscriptions(l.roster), l.roster, l.blocking}, Log: a.log, Remote: known.Remote, Committed: func(ctx context.Context, c pubsub.Committed) { e.committed(ctx, c, a.log) },
			Limits: func() pubsub.Limits { return accounts.NodeLimits(a.config) },
		}),
		domain: pubsubdomain.New(a.nodes, pubsubdomain.Options{
			Log: a.log, MayCreate: mayCreate(a.config),
			Limits: func() pubsub.Limits {
				return pubsub.Limits{Nodes: c.ServiceNodes, Items: c.Items, Bytes: int64(c.ServiceBytes), Payload: int(c.Payload), Subscriptions: c.Subscriptions}
			},
		}),
	}
	e.spaces = spaces.New(spaces.Options{Nodes: e.domain.Engine(), Route: h.Router().Route, MayCreate: mayCreate(a.config), Local: localAccount(a.config)})
	e.info = newServerInfo(h, a, e.domain.Engine())
	e.bookmarks.Join(e.pep.Engine())
	e.avatars = avatar.New(e.pep.Engine(), l.presence)
	e.vcard = vcard.New(a.store, int(a.config.Limits.VCardBytes)).With(e.avatars).Beside(a.identity)
	e.vcard.Join(e.pep.Engine())
	e.capabilities.Watch(func(ctx context.Context, c capabilities.Change) {
		if c.Session == nil {
			e.pep.SendLastRemote(ctx, pep.InterestedRemote{Account: c.Of, Session: c.Address, Before: c.Before, Now: c.Now, Route: c.Route})
			return
		}
		e.push.Identified(ctx, c.Session)
		e.pep.SendLast(ctx, pep.Interested{Session: c.Session, Before: c.Before, Now: c.Now, Route: c.Route})
	})
	visible := l.blocking.Subscriptions(l.roster)
	known.Know(func(ctx context.Context, a *router.Account, other jid.JID) (bool, error) {
		from, to, err := visible.Subscription(ctx, a, other)
		return from || to, err
	})
	return e
}

// committed tells the features that follow the nodes of accounts of a change.
func (e *events) committed(ctx context.Context, c pubsub.Committed, log *slog.Logger) {
	if c.Name == notification.NSBookmarks {
		id := c.Retract
		if c.Item != nil {
			id = c.Item.ID
		}
		if room, err := jid.Parse(id); err == nil || id == "" { // "": all of them were removed
			e.push.Bookmarked(c.Service, room)
		}
	}
	e.bookmarks.Committed(ctx, c)
	if err := errors.Join(e.avatars.Committed(ctx, c), e.vcard.Committed(ctx, c)); err != nil {
		log.Error("change of a node not followed", "account", c.Service, "node", c.Name, "err", err)
	}
}

// newNotifier returns what decides who is notified of the messages of rooms.
func (s *Server) newNotifier() *notification.Notifier {
	c := s.config.Push
	set := notification.Setting(c.Rooms)
	if c.Rooms == "automatic" {
		set = ""
	}
	return notification.New(notification.Options{
		Store: pushes.New(s.store), Notify: s.notify, Default: set, Accounts: c.Accounts, Log: s.log,
	})
}

// notify notifies the push services of an account of a room's message.
func (s *Server) notify(ctx context.Context, account jid.JID, st *stanza.Stanza, wanted notification.Wanted) {
	for _, h := range s.hosts {
		if h.domain.Domain() == account.Domain() {
			h.events.push.Room(ctx, account, st, wanted)
		}
	}
}

// Notifier decides who is notified of the messages of rooms: services call it with those of theirs.
func (s *Server) Notifier() *notification.Notifier { return s.rooms }

// mayCreate returns who may create nodes at a host's service (pubsub.create).
func mayCreate(c config.Config) func(jid.JID) bool {
	switch c.Pubsub.Create {
	case "accounts":
		return localAccount(c)
	case "admins":
		return func(entity jid.JID) bool {
			return slices.ContainsFunc(c.Server.Admins, func(name string) bool {
				admin, err := jid.Parse(name)
				return err == nil && admin == entity
			})
		}
	}
	return func(jid.JID) bool { return false }
}

// localAccount returns whether an address is an account of a served host.
func localAccount(c config.Config) func(jid.JID) bool {
	return func(entity jid.JID) bool {
		return entity.Local() != "" && slices.Contains(c.Server.Hosts, entity.Domain())
	}
}

// isSpace reports whether a node of the host's service is a space. Spaces of other services are not known.
func (h *host) isSpace(ctx context.Context, service jid.JID, node string) (bool, error) {
	if service != h.events.at {
		return false, nil
	}
	return h.events.domain.Engine().IsSpace(ctx, service, node)
}

// roomDestroyed takes a room that does not exist any longer out of a space of the host's service.
func (h *host) roomDestroyed(ctx context.Context, service jid.JID, node string, room jid.JID) error {
	if is, err := h.isSpace(ctx, service, node); err != nil || !is {
		return err
	}
	return h.events.spaces.RoomDestroyed(ctx, service, node, room)
}

// newPubsub serves the host's publish-subscribe service.
func (h *host) newPubsub(r *router.Router, a assembly) error {
	const name = "Publish-subscribe"
	at, ok := h.below(a.config.Pubsub.Domain, name, a.config, a.log)
	if !ok {
		return nil
	}
	h.events.at = at
	return h.serveAt(at, r, a, servedDomain{
		label: a.config.Pubsub.Domain, name: name, identity: coredisco.Identity{Category: "pubsub", Type: "service", Name: name},
		features: []router.Feature{h.events.domain.Feature(), h.events.spaces.Feature()},
	})
}

// contacts are what an account knows about others, for its nodes.
type contacts struct {
	router.Subscriptions
	roster   *roster.Roster
	blocking *blocking.Blocking
}

var _ pep.Contacts = contacts{}

func (c contacts) InGroup(ctx context.Context, a *router.Account, contact jid.JID, groups []string) (bool, error) {
	return c.roster.InGroup(ctx, a, contact, groups)
}

func (c contacts) Blocks(ctx context.Context, a *router.Account, other jid.JID) (bool, error) {
	return c.blocking.Blocks(ctx, a, other)
}

// watchers calls several Watchers.
type watchers []router.Watcher

func (w watchers) Granted(a *router.Account, contact jid.JID, route func(*stanza.Stanza)) {
	for _, o := range w {
		o.Granted(a, contact, route)
	}
}

func (w watchers) Revoked(a *router.Account, contact jid.JID, route func(*stanza.Stanza)) {
	for _, o := range w {
		o.Revoked(a, contact, route)
	}
}

// forget removes an account that is being deleted from the nodes of others.
func (s *Server) forget(ctx context.Context, account jid.JID) error {
	var failed error
	for _, h := range s.hosts {
		h.events.pep.Forget(account)
		if service, err := jid.Parse(s.config.Pubsub.Domain + "." + h.domain.Domain()); err == nil {
			failed = errors.Join(failed, h.events.domain.Forget(ctx, service, account))
		}
	}
	return failed
}

// stopEvents waits for changes of nodes. It is called before the store is closed.
func (s *Server) stopEvents() {
	ctx, cancel := context.WithTimeout(context.Background(), stopEventsWait)
	defer cancel()
	if s.rooms != nil {
		s.rooms.Stop(ctx)
	}
	for _, h := range s.hosts {
		h.events.pep.Stop(ctx)
		h.events.domain.Stop(ctx)
	}
}
